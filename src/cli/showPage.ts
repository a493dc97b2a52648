/** Opens an address in the user's browser. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { messageOf } from "../base/errorText.ts"
import { createStateFolder } from "../manager/localToken.ts"
import { writePrivate } from "../manager/privateFiles.ts"
import { Refusal } from "./refusal.ts"
import { sayLine } from "./views/output.ts"

/**
 * Shows an address that has a code in it. The browser is started with a file of this user instead of the address, because others
 * on the machine can see what programs are started with.
 */
export const showPage = (url: string, address: string): Effect.Effect<void, Refusal> =>
  Effect.gen(function*() {
    const file = yield* Effect.try({
      try: () => writeRedirect(address),
      catch: (error) => refusal(messageOf(error))
    })
    yield* start(pathToFileURL(file).href)
    sayLine(`opening ${url}`)
  })

const refusal = (why: string): Refusal =>
  new Refusal({ message: `no browser could be started (${why}): give --print for the address` })

const writeRedirect = (address: string): string => {
  const file = join(createStateFolder(), "open.html")
  writePrivate(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${escaped(address)}">\n`)
  return file
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("\"", "&quot;").replaceAll("<", "&lt;")

const opener = (target: string): readonly [command: string, ...args: ReadonlyArray<string>] => {
  switch (process.platform) {
    case "darwin":
      return ["open", target]
    case "win32":
      return ["rundll32", "url.dll,FileProtocolHandler", target]
    default:
      return ["xdg-open", target]
  }
}

/** Waits until the program that starts browsers has ended, because it says by its exit code if there is none. */
const start = (target: string): Effect.Effect<void, Refusal> =>
  Effect.callback((resume) => {
    const [command, ...args] = opener(target)
    const child = spawn(command, args, { stdio: "ignore", detached: true })
    child.once("error", (error) => resume(Effect.fail(refusal(error.message))))
    child.once("exit", (code) =>
      resume(code === 0 ? Effect.void : Effect.fail(refusal(`${command} ended with ${code ?? "a signal"}`))))
    return Effect.sync(() =>
      void child.unref()
    )
  })
