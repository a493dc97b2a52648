import * as Option from "effect/Option"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { entryPoint, programLoader } from "./entryPoints.ts"
import { encode } from "./jsonLines.ts"
import { LineReader } from "./lineReader.ts"
import { signal } from "./processGroup.ts"

/** The time that this process has after its limit, because it needs some to exit. */
const graceMs = 500

const watchdogMain = fileURLToPath(entryPoint(import.meta.url, "./parentWatchdog"))

/** Sends the parent a message, at once: there may be no next turn of the event loop. */
export const sendToParent = (message: object): void => {
  try {
    writeFileSync(3, encode(message))
  } catch {
    // the parent has ended, and the watchdog says so
  }
}

/** Receives what the parent sends, and learns that it has ended. */
export interface ParentListener<Message> {
  readonly onMessage: (message: Message) => void
  readonly onLost: () => void
}

/**
 * This process's link to the process that started it as a `ChildProcess`. A thread of its own reads it, so that this
 * process does not outlive its parent by more than its limit, whatever its event loop does.
 */
export class ParentLink<Message> {
  /** Resolves once the thread runs. Nothing that must not outlive the parent may start before. */
  readonly ready: Promise<unknown>
  readonly #watchdog = new Worker(programLoader, { argv: [watchdogMain], execArgv: [] })
  /** The messages that came before anybody listened. */
  readonly #unheard: Array<(listener: ParentListener<Message>) => void> = []
  #listener: ParentListener<Message> | undefined

  constructor(decode: (line: string) => Option.Option<Message>) {
    this.ready = once(this.#watchdog, "online")
    const reader = new LineReader({
      // what the parent sends is as long as what it was given
      longest: Infinity,
      onTooLong: () => {},
      onLine: (line) => Option.map(decode(line), (message) => this.#pass(({ onMessage }) => onMessage(message)))
    })
    this.#watchdog.on("message", (text: string | null) => {
      if (text !== null) return reader.feed(Buffer.from(text))
      this.killGroupAtExit()
      this.#pass(({ onLost }) => onLost())
    })
  }

  /** Listens to the parent. From then on the thread keeps nothing alive. */
  listen(listener: ParentListener<Message>): void {
    this.#watchdog.unref()
    this.#listener = listener
    for (const pass of this.#unheard.splice(0)) pass(listener)
  }

  /** Sets how long this process may outlive its parent, in milliseconds. */
  outlive(ms: number): void {
    this.#watchdog.postMessage(ms + graceMs, [])
  }

  /** Without a parent nobody else is there to end what this process leaves behind. */
  killGroupAtExit(): void {
    process.once("exit", () => signal(-process.pid, "SIGKILL"))
  }

  #pass(pass: (listener: ParentListener<Message>) => void): void {
    if (this.#listener === undefined) this.#unheard.push(pass)
    else pass(this.#listener)
  }
}
