import { spawn } from "node:child_process"
import { once } from "node:events"
import { bin } from "./cli.ts"

/** The command line on a pseudo-terminal, which `script` of util-linux makes. */
export const onTerminal = (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const words = [process.execPath, bin, ...args]
  const quoted = words.map((word) => `'${word}'`).join(" ")
  const child = spawn("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env, TERM: "xterm" }
  })
  let screen = ""
  /** The place of the end of what was waited for last. */
  let read = 0
  const closed = once(child, "close")
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (screen.includes(text)) resolve()
      }
      child.stdout.on("data", look)
      child.once("close", () => reject(new Error(`it ended without printing "${text}"\n${screen}`)))
    })
  child.stdout.on("data", (chunk: Buffer) => screen += chunk)
  return {
    printed,
    /** Waits until it has printed something after what was waited for so before. */
    printedNext: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(screen.slice(read))
          if (found === null) return
          read += found.index + found[0].length
          child.stdout.off("data", look)
          child.off("close", fail)
          resolve()
        }
        const fail = () => reject(new Error(`it ended without printing ${pattern}\n${screen}`))
        child.stdout.on("data", look)
        child.once("close", fail)
        look()
      }),
    /** Types on the terminal. */
    type: (keys: string) => child.stdin.write(keys),
    ended: async () => {
      await closed
      return { code: child.exitCode, screen }
    }
  }
}
