import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { messageOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { longestMs } from "../../base/timers.ts"
import type { Killed } from "../../process/processGroup.ts"
import type { Actor, HostConnection } from "../caller/hostConnection.ts"
import { within } from "./boundedWait.ts"
import { dial, type KeyedConnection, type Message } from "./keyedConnection.ts"
import type { RayJob } from "./rayJob.ts"

/** The interval at which a cluster is asked what an actor that was not created yet waits for. */
const pendingMs = 1_000

/** What is added to the limit of a host that ends by itself because its actor or its guard is gone. */
const graceMs = 3_000

/** The last message of a guard about its host. */
interface HostEnd {
  readonly how: string
  readonly leftover?: string
  readonly gone: boolean
}

/** A host that is the Node process of a Ray actor. Its calls do not pass through Ray. */
export class RayConnection implements HostConnection {
  readonly exited = new OneShotLatch()
  pid: number | undefined
  actor: Actor | undefined
  readonly #job: RayJob
  readonly #name: string
  readonly #killMs: number
  readonly #onBytes: (bytes: Uint8Array) => void
  /** The bytes to send once there is a connection; `undefined` from then on. */
  #unsent: Array<Uint8Array> | undefined = []
  #data: Socket | undefined
  #guard: KeyedConnection | undefined
  #hostEnd: HostEnd | undefined
  /** What the host lived in and has lost. */
  #fate: string | undefined
  #isCreated = false
  #pending = ""
  #stderr = ""
  readonly #started = new OneShotLatch()
  /** Opens when the end of the process is reported. */
  readonly #hostEnded = new OneShotLatch()
  /** Opens when nothing of its process group is left. */
  readonly #hostGone = new OneShotLatch()
  /** Opens when the worker process of the actor is gone. */
  readonly #actorGone = new OneShotLatch()
  #onKilled: ((killed: Killed) => void) | undefined

  constructor(job: RayJob, name: string, killMs: number, onBytes: (bytes: Uint8Array) => void) {
    this.#job = job
    this.#name = name
    this.#killMs = Math.min(killMs, longestMs)
    this.#onBytes = onBytes
    this.#open().catch((error: unknown) => this.#end(messageOf(error)))
  }

  readonly exit = (): string => this.#fate ?? this.#hostEnd?.how ?? "it was not started"

  readonly stderr = (): string => this.#stderr

  readonly leftover = (): string | undefined => this.#hostEnd?.leftover

  readonly waitsFor = (): string => this.#isCreated ? "" : this.#pending

  readonly send = (bytes: Uint8Array): void => {
    if (this.#unsent !== undefined) this.#unsent.push(Buffer.from(bytes))
    else if (this.#data?.writable === true) this.#data.write(Buffer.from(bytes))
  }

  readonly clear: Effect.Effect<void> = Effect.promise(async () => {
    await this.verify(this.#killMs)
  })

  readonly kill = (limitMs: number): Effect.Effect<Killed> => Effect.promise(() => this.#kill(limitMs))

  /** Kills the actor, and waits until Ray says that it is DEAD and its processes are gone; false if the time is up. */
  async verify(limitMs: number): Promise<boolean> {
    const { actor } = this
    this.#job.kill(this.#name)
    if (actor === undefined || actor.killSuccess) return true
    const seen = Promise.all([
      this.#job.isDead(actor.actorId, limitMs),
      new Promise<void>((resolve) => this.#hostGone.onOpen(resolve)),
      new Promise<void>((resolve) => this.#actorGone.onOpen(resolve))
    ])
    const [isDead] = await within(seen, limitMs) ?? [false]
    this.actor = { ...actor, killSuccess: isDead }
    return isDead
  }

  /** Ends the connection with the guard. */
  close(): void {
    this.#guard?.socket.destroy()
  }

  async #open(): Promise<void> {
    const asking = setInterval(() => void this.#job.lacks().then((text) => this.#pending = text), pendingMs).unref()
    const { guard: address, key } = await this.#job.create(this.#name, (message) => this.#onDriverMessage(message))
      .finally(() => clearInterval(asking))
    // it was killed before there was an actor
    if (this.exited.isOpen) return this.#job.kill(this.#name)
    this.#isCreated = true
    this.actor = { actorId: address.actorId, nodeId: address.nodeId, killSuccess: false }
    const guard = this.#guard = await dial(address, key, "guard")
    if (this.exited.isOpen) return this.close()
    guard.listen((message) => this.#onGuardMessage(message))
    guard.closed.onOpen(() => {
      this.#lose("its guard was lost")
      // without a guard the end of the worker process is only seen by Ray, which says DEAD
      this.#actorGone.open()
    })
    // an actor without the driver of its job has ended
    this.#job.lost.onOpen(() => {
      guard.say({ stop: true })
      this.#lose("the driver of its Ray job was lost")
    })
    this.#job.stopped.onOpen(() => this.#lose("its Ray job was stopped"))
    const data = this.#data = (await dial(address, key, "data")).release()
    if (this.exited.isOpen) return void data.destroy()
    await new Promise<void>((resolve) => this.#started.onOpen(resolve))
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const bytes of unsent) this.send(bytes)
    data.on("data", this.#onBytes)
    data.resume()
    data.once("close", () => this.#hostEnded.onOpen(() => this.exited.open()))
    if (data.closed) this.#hostEnded.onOpen(() => this.exited.open())
  }

  #onDriverMessage({ dead, ended }: Message): void {
    if (typeof dead === "string") this.#lose(`its actor has died: ${dead}`)
    // without its guard the actor has seen the end of the process
    if (ended !== undefined) {
      this.#guard?.closed.onOpen(() => this.#onHostEnded((ended as Pick<HostEnd, "gone">).gone))
    }
  }

  #onGuardMessage(message: Message): void {
    if ("pid" in message) {
      this.pid = Number(message["pid"])
      this.#started.open()
    } else if ("how" in message) {
      // safe: both ends are of the same version
      this.#hostEnd = message as unknown as HostEnd
      this.#onHostEnded(this.#hostEnd.gone)
    } else if ("actorGone" in message) {
      if (message["actorGone"] === true) this.#actorGone.open()
    } else if ("killed" in message) {
      this.#onKilled?.(message["killed"] as Killed)
    } else if ("stderr" in message) {
      this.#stderr = String(message["stderr"])
    }
  }

  #onHostEnded(gone: boolean): void {
    if (gone) this.#hostGone.open()
    this.#hostEnded.open()
  }

  /** Something that the host lived in has ended: the host cleans up and ends as well, within its limit. */
  #lose(fate: string): void {
    if (this.#hostEnd !== undefined || this.exited.isOpen) return
    this.#fate ??= fate
    const limitMs = Math.min(this.#job.limitMs + graceMs, longestMs)
    setTimeout(() => this.#end(fate), limitMs).unref()
  }

  #end(how: string): void {
    this.#fate ??= how
    this.#unsent = undefined
    this.#data?.destroy()
    this.exited.open()
  }

  async #kill(limitMs: number): Promise<Killed> {
    const since = performance.now()
    // JSON has no infinity
    const ms = Math.min(limitMs, longestMs)
    const host = await this.#killHost(ms)
    const gone = await this.verify(Math.max(this.#killMs, ms) - (performance.now() - since))
    if (!this.exited.isOpen) this.#end(host.how)
    return { gone: host.gone && gone, how: host.how, durationMs: performance.now() - since }
  }

  async #killHost(limitMs: number): Promise<Killed> {
    const guard = this.#guard
    if (this.#hostGone.isOpen) return { gone: true, how: "it was gone", durationMs: 0 }
    if (guard === undefined) return { gone: true, how: "nothing to kill", durationMs: 0 }
    const answer = new Promise<Killed>((resolve) => {
      this.#onKilled = resolve
      guard.closed.onOpen(() => resolve({ gone: false, how: "its guard is gone", durationMs: 0 }))
    })
    guard.say({ kill: limitMs })
    const killed = await within(answer, limitMs + 100)
    if (killed?.gone === true) this.#onHostEnded(true)
    return killed ?? { gone: false, how: "its guard does not answer", durationMs: limitMs }
  }
}
