import * as Option from "effect/Option"
import { writeFileSync } from "node:fs"
import { Socket } from "node:net"
import { encode } from "./jsonLines.ts"
import { LineReader } from "./lineReader.ts"
import { signal } from "./processGroup.ts"

/** The time that this process has after its limit, because it needs some to exit. */
const graceMs = 500

/** Sends the parent a message, at once: there may be no next turn of the event loop. */
export const sendToParent = (message: object): void => {
  try {
    writeFileSync(3, encode(message))
  } catch {
    // the parent has ended, and the lifeline says so
  }
}

/** Receives what the parent sends, and learns that it has ended. */
export interface ParentListener<Message> {
  readonly onMessage: (message: Message) => void
  readonly onLost: () => void
}

/**
 * This process's link to the process that started it as a `ChildProcess`. If the parent ends, this process does not outlive it
 * by more than its limit, whatever its event loop does: the watchdog of the parent sees to it.
 */
export class ParentLink<Message> {
  readonly #lifeline = new Socket({ fd: 4 })
  /** The messages that came before anybody listened. */
  readonly #unheard: Array<(listener: ParentListener<Message>) => void> = []
  #listener: ParentListener<Message> | undefined

  constructor(decode: (line: string) => Option.Option<Message>) {
    const reader = new LineReader({
      // what the parent sends is as long as what it was given
      longest: Infinity,
      onTooLong: () => {},
      onLine: (line) => Option.map(decode(line), (message) => this.#pass(({ onMessage }) => onMessage(message)))
    })
    this.#lifeline.on("data", (bytes) => reader.feed(bytes))
    this.#lifeline.on("error", () => {})
    this.#lifeline.once("close", () => {
      this.killGroupAtExit()
      this.#pass(({ onLost }) => onLost())
    })
  }

  /** Listens to the parent. From then on the link keeps nothing alive. */
  listen(listener: ParentListener<Message>): void {
    this.#lifeline.unref()
    this.#listener = listener
    for (const pass of this.#unheard.splice(0)) pass(listener)
  }

  /** Sets how long this process may outlive its parent, in milliseconds. */
  outlive(ms: number): void {
    if (this.#lifeline.writable) this.#lifeline.write(`${ms + graceMs}\n`)
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
