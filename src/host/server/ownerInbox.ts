import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { readStop } from "../wire/farewell.ts"
import { FrameReader, type FrameWriter, Reply, Request } from "../wire/frames.ts"
import { type Init, readInit } from "../wire/handshake.ts"
import type { CallServer } from "./callServer.ts"
import { initialized, type OwnerInboxState, serverOf, serving, stopping, waiting } from "./ownerInboxState.ts"

/** The messages that the owner of a host has sent. It may ask the host to stop before there is anything to stop. */
export class OwnerInbox {
  readonly reader: FrameReader
  /** Opens when `init` has arrived, or never will. */
  readonly begun = new OneShotLatch()
  #state: OwnerInboxState = waiting
  #onStop: (limitMs: number) => void = () => {}

  /** `onBroken` is called if its owner sends what it cannot read: nobody is there whom it could serve. */
  constructor(writer: FrameWriter, onBroken: () => void) {
    this.reader = new FrameReader((operation, id, method, body) => {
      switch (operation) {
        case Request.ping:
          return writer.write(Reply.pong)
        case Request.init:
          return this.#become(initialized(this.#state, readInit(body)))
        case Request.stop:
          return this.#become(stopping(this.#state, readStop(body)))
        default:
          serverOf(this.#state)?.receive(operation, id, method, body)
      }
    }, onBroken)
  }

  /** The service that the owner wants; nothing if it is gone before it has said so. */
  get init(): Init | undefined {
    return "init" in this.#state ? this.#state.init : undefined
  }

  /** Returns true once the services of the host have started. */
  get isServing(): boolean {
    return serverOf(this.#state) !== undefined
  }

  /** Calls the listener with the limit of the stop that the owner asks for, at once if it has already. */
  onStop(listener: (limitMs: number) => void): void {
    this.#onStop = listener
    if (this.#state._tag === "Stopping") listener(this.#state.limitMs)
  }

  /** Passes all calls from now on to a server. */
  serve(server: CallServer): void {
    this.#become(serving(this.#state, server))
  }

  /** The owner is gone. What was initialized goes on until it is stopped. */
  ownerLost(): void {
    if (this.#state._tag === "Waiting") this.#become(stopping(this.#state, 0))
  }

  #become(next: OwnerInboxState): void {
    const before = this.#state
    this.#state = next
    if (before._tag === "Waiting" && next !== before) this.begun.open()
    if (next._tag === "Stopping" && before._tag !== "Stopping") this.#onStop(next.limitMs)
  }
}
