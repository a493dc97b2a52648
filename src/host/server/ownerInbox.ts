import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { readStop } from "../wire/farewell.ts"
import { FrameReader, type FrameWriter, Reply, Request } from "../wire/frames.ts"
import { type Init, readInit } from "../wire/handshake.ts"
import type { CallServer } from "./callServer.ts"

/** What the owner of a host has sent. It may ask the host to stop before there is anything to stop. */
export class OwnerInbox {
  readonly reader: FrameReader
  /** Opens when `init` has arrived. */
  readonly initialized = new OneShotLatch()
  init: Init | undefined
  /** Opens when the owner asks for a stop, which may take `stopLimitMs`. */
  readonly stopping = new OneShotLatch()
  stopLimitMs = Infinity
  /** Takes the calls, once the services of the host have started. */
  server: CallServer | undefined

  constructor(writer: FrameWriter) {
    this.reader = new FrameReader((operation, id, method, body) => {
      switch (operation) {
        case Request.ping:
          return writer.write(Reply.pong)
        case Request.init:
          this.init = readInit(body)
          return this.initialized.open()
        case Request.stop:
          this.stopLimitMs = readStop(body)
          return this.stopping.open()
        default:
          this.server?.receive(operation, id, method, body)
      }
    })
  }
}
