/** Hosts that live in memory: a test says what each does, and sees what it was sent. */
import * as Effect from "effect/Effect"
import { OneShotLatch } from "../../../src/base/oneShotLatch.ts"
import type { HostConnection, OpenHost } from "../../../src/host/caller/hostConnection.ts"
import { contractOf, type Method } from "../../../src/host/contract.ts"
import { type HostResult, sendResult } from "../../../src/host/wire/farewell.ts"
import { FrameReader, FrameWriter, Reply, Request } from "../../../src/host/wire/frames.ts"
import { sendReady, sendStartFailed } from "../../../src/host/wire/handshake.ts"
import type { Killed } from "../../../src/process/processGroup.ts"
import type { StopReport } from "../../../src/StopReport.ts"
import { Lean } from "./lean.ts"

type Sent = keyof typeof Request

const names = new Map(Object.entries(Request).map(([name, operation]) => [operation, name as Sent]))

/** One host, whose methods are what a real one would do. */
export class FakeHost {
  readonly exited = new OneShotLatch()
  readonly #sent: Array<Sent> = []
  readonly #calls: Array<number> = []
  readonly #writer: FrameWriter
  readonly connection: HostConnection
  /** What a kill achieves. */
  killed: Killed = { gone: true, how: "SIGKILL", durationMs: 3 }
  kills = 0
  #exit = "it runs"

  constructor(onBytes: (bytes: Uint8Array) => void) {
    // bytes are overwritten once `send` returns
    this.#writer = new FrameWriter((bytes) => onBytes(new Uint8Array(bytes)))
    const reader = new FrameReader((operation, id) => {
      this.#sent.push(names.get(operation as never) ?? "init")
      if (operation === Request.call || operation === Request.tracedCall) this.#calls.push(id)
    }, () => this.exit())
    this.connection = {
      pid: undefined,
      exited: this.exited,
      exit: () => this.#exit,
      stderr: () => "",
      leftover: () => undefined,
      send: (bytes) => reader.feed(new Uint8Array(bytes)),
      kill: () =>
        Effect.sync(() => {
          this.kills++
          if (this.killed.gone) this.exit("its process was ended by SIGKILL")
          return this.killed
        })
    }
  }

  ready(): void {
    sendReady(this.#writer)
  }

  refuse(reason: string): void {
    sendStartFailed(this.#writer, reason)
  }

  answerPing(): void {
    this.#writer.write(Reply.pong)
  }

  /** Answers the oldest call with a number. */
  answer(method: Method, value: number): void {
    this.#writer.write(Reply.value, this.#calls.shift(), 0, method.success.encode(value))
  }

  finish(failure?: string): void {
    // safe: a replica only reads the services of a report
    sendResult(
      this.#writer,
      { report: { services: [], leftovers: [] } as unknown as StopReport, failure } as HostResult
    )
  }

  exit(how = "its process exited with code 9"): void {
    this.#exit = how
    this.exited.open()
  }

  /** How often it was sent this. */
  received(what: Sent): number {
    return this.#sent.filter((sent) => sent === what).length
  }
}

/** Opens hosts in memory, and keeps them in the order of their start. */
export class FakeHosts {
  readonly hosts: Array<FakeHost> = []
  readonly #onOpen: (host: FakeHost) => void

  constructor(onOpen: (host: FakeHost) => void = () => {}) {
    this.#onOpen = onOpen
  }

  readonly open: OpenHost = (onBytes) => {
    const host = new FakeHost(onBytes)
    this.hosts.push(host)
    this.#onOpen(host)
    return host.connection
  }

  /** The newest one. */
  get last(): FakeHost {
    const host = this.hosts.at(-1)
    if (host === undefined) throw new Error("no host was started")
    return host
  }
}

/** The contract and the method that fake hosts answer. */
export const contract = contractOf("test/Lean", "1", Lean.group.requests.values())
const [first] = contract.methods
if (first === undefined) throw new Error("the contract has no method")
export const double: Method = first
