import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** The signals that end a process politely, and the exit code of each. */
export const politeSignals = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]] as const

/** The command line, as it is published. */
export const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))
const jobs = new URL("../cli/jobs/", import.meta.url)

/** The path of a job module, or a program, of the process tests. */
export const fixture = (name: string): string => fileURLToPath(new URL(name, jobs))

/** A real process, and what it has printed so far. */
export class Started {
  stdout = ""
  stderr = ""
  readonly child: ChildProcess
  readonly #closed: Promise<unknown>

  /** `via` is a command that becomes the process. */
  constructor(args: ReadonlyArray<string>, env: Record<string, string> = {}, via: ReadonlyArray<string> = []) {
    const [command = process.execPath, ...rest] = [...via, process.execPath, ...args]
    this.child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...env }
    })
    this.child.stdout?.on("data", (chunk: Buffer) => this.stdout += chunk)
    this.child.stderr?.on("data", (chunk: Buffer) => this.stderr += chunk)
    this.#closed = once(this.child, "close")
  }

  /** Waits until it has printed a text, on either stream. */
  async said(text: string): Promise<this> {
    const { stderr, stdout } = this.child
    while (!this.stdout.includes(text) && !this.stderr.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended without saying "${text}"\n${this.stdout}\n${this.stderr}`)
      }
      await new Promise<void>((resolve) => {
        const again = () => {
          stdout?.off("data", again)
          stderr?.off("data", again)
          this.child.off("close", again)
          resolve()
        }
        stdout?.on("data", again)
        stderr?.on("data", again)
        this.child.on("close", again)
      })
    }
    return this
  }

  signal(signal: NodeJS.Signals): this {
    this.child.kill(signal)
    return this
  }

  /** Sends a signal of its own request: a person is slower than the 500 ms in which signals are the same request. */
  async signalAgain(signal: NodeJS.Signals): Promise<this> {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return this.signal(signal)
  }

  /** Waits for its end: its exit code, or the signal that killed it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#closed
    return this.child.exitCode ?? this.child.signalCode
  }

  /** How many lines it has printed that begin with this. */
  count(start: string): number {
    return this.stdout.split("\n").filter((line) => line.startsWith(start)).length
  }
}

/** `autostop …`, as it is published. */
export const autostop = (...args: ReadonlyArray<string>): Started => new Started([bin, ...args])

/** `autostop run` of the `life` job. */
export const life = (settings: Record<string, string>, ...args: ReadonlyArray<string>): Started =>
  new Started([bin, "run", fixture("life.ts"), "--payload", JSON.stringify({ act: "end", ...settings }), ...args], {
    LIFE: JSON.stringify(settings)
  })

/** How many services the `life` job, or the `stuck` job, has opened and closed. */
export const fates = (run: Started): { readonly opened: number; readonly closed: number } => ({
  opened: run.count("opened "),
  closed: run.count("closed ")
})

/** The fates of a job whose two services have been released. */
export const bothReleased = { opened: 2, closed: 2 }

/** Returns true while there is a process with this id. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
