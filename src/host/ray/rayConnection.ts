import type { Socket } from "node:net"
import { messageOf } from "../../base/errorText.ts"
import type { Killed } from "../../process/processGroup.ts"
import { longestMs } from "../../base/timers.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Actor, Link } from "../caller/hostConnection.ts"
import { type RayJob, within } from "./rayJob.ts"
import { dial, type Message, type Peer } from "./keyedConnection.ts"

/** How often it is asked what an actor waits for that was not created yet. */
const pendingMs = 1_000

/** What is added to the limit of a host, which ends by itself without its actor or its guard. */
const graceMs = 3_000

/** What a guard tells at the end of its host. */
interface Ended {
  readonly how: string
  readonly leftover?: string
  readonly gone: boolean
}

/** A host that is the Node process of a Ray actor. Calls go straight there. */
export class RayLink implements Link {
  readonly exited = new OneShotLatch()
  pid: number | undefined
  actor: Actor | undefined
  readonly #job: RayJob
  readonly #name: string
  readonly #killMs: number
  readonly #onBytes: (bytes: Uint8Array) => void
  /** What is to be sent once there is a way. */
  #unsent: Array<Uint8Array> | undefined = []
  #data: Socket | undefined
  #guard: Peer | undefined
  #ended: Ended | undefined
  /** What became of its actor, where that is why it has ended. */
  #fate: string | undefined
  #isCreated = false
  #pending = ""
  #stderr = ""
  readonly #started = new OneShotLatch()
  /** Its end was told. */
  readonly #hostEnded = new OneShotLatch()
  /** Nothing of it is left. */
  readonly #hostGone = new OneShotLatch()
  /** The worker process of the actor is gone. */
  readonly #actorGone = new OneShotLatch()
  #answered: ((killed: Killed) => void) | undefined

  constructor(job: RayJob, name: string, killMs: number, onBytes: (bytes: Uint8Array) => void) {
    this.#job = job
    this.#name = name
    this.#killMs = Math.min(killMs, longestMs)
    this.#onBytes = onBytes
    this.#open().catch((error: unknown) => this.#end(messageOf(error)))
  }

  readonly exit = (): string => this.#fate ?? this.#ended?.how ?? "it was not started"

  readonly stderr = (): string => this.#stderr

  readonly leftover = (): string | undefined => this.#ended?.leftover

  readonly waitsFor = (): string => this.#isCreated ? "" : this.#pending

  readonly send = (bytes: Uint8Array): void => {
    if (this.#unsent !== undefined) this.#unsent.push(Buffer.from(bytes))
    else if (this.#data?.writable === true) this.#data.write(Buffer.from(bytes))
  }

  readonly clear = async (): Promise<void> => {
    await this.verify(this.#killMs)
  }

  readonly kill = async (limitMs: number): Promise<Killed> => {
    const since = performance.now()
    // JSON has no infinity
    const ms = Math.min(limitMs, longestMs)
    const host = await this.#killHost(ms)
    const gone = await this.verify(Math.max(this.#killMs, ms) - (performance.now() - since))
    if (!this.exited.isOpen) this.#end(host.how)
    return { gone: host.gone && gone, how: host.how, durationMs: performance.now() - since }
  }

  async #open(): Promise<void> {
    const asking = setInterval(() => void this.#job.lacks().then((text) => this.#pending = text), pendingMs).unref()
    const { key, place } = await this.#job.create(this.#name, (message) => this.#told(message))
      .finally(() => clearInterval(asking))
    // killed before there was anything to kill
    if (this.exited.isOpen) return this.#job.kill(this.#name)
    this.#isCreated = true
    this.actor = { actorId: place.actorId, nodeId: place.nodeId, killSuccess: false }
    const guard = this.#guard = await dial(place, key, "guard")
    if (this.exited.isOpen) return this.close()
    guard.listen((message) => this.#heard(message))
    guard.closed.onOpen(() => {
      this.#alone("its guard was lost")
      // then all that tells of its worker is that Ray says DEAD
      this.#actorGone.open()
    })
    // an actor without the driver of its job has ended
    this.#job.lost.onOpen(() => {
      guard.say({ stop: true })
      this.#alone("the driver of its Ray job was lost")
    })
    this.#job.stopped.onOpen(() => this.#alone("its Ray job was stopped"))
    const data = this.#data = (await dial(place, key, "data")).release()
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

  /** What the driver tells. */
  #told({ dead, ended }: Message): void {
    if (typeof dead === "string") this.#alone(`its actor has died: ${dead}`)
    // the actor has seen the end of a host whose guard cannot tell
    if (ended !== undefined) this.#guard?.closed.onOpen(() => this.#hostHasEnded((ended as Pick<Ended, "gone">).gone))
  }

  /** What the guard tells. */
  #heard(message: Message): void {
    if ("pid" in message) {
      this.pid = Number(message["pid"])
      this.#started.open()
    } else if ("how" in message) {
      // safe: both ends are of the same version
      this.#ended = message as unknown as Ended
      this.#hostHasEnded(this.#ended.gone)
    } else if ("actorGone" in message) {
      if (message["actorGone"] === true) this.#actorGone.open()
    } else if ("killed" in message) {
      this.#answered?.(message["killed"] as Killed)
    } else if ("stderr" in message) {
      this.#stderr = String(message["stderr"])
    }
  }

  #hostHasEnded(gone: boolean): void {
    if (gone) this.#hostGone.open()
    this.#hostEnded.open()
  }

  /** Something that it lived in has ended: it cleans up, and ends as well. */
  #alone(fate: string): void {
    if (this.#ended !== undefined || this.exited.isOpen) return
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

  async #killHost(limitMs: number): Promise<Killed> {
    const guard = this.#guard
    if (this.#hostGone.isOpen) return { gone: true, how: "it was gone", durationMs: 0 }
    if (guard === undefined) return { gone: true, how: "nothing to kill", durationMs: 0 }
    const answer = new Promise<Killed>((resolve) => {
      this.#answered = resolve
      guard.closed.onOpen(() => resolve({ gone: false, how: "its guard is gone", durationMs: 0 }))
    })
    guard.say({ kill: limitMs })
    const killed = await within(answer, limitMs + 100)
    if (killed?.gone === true) this.#hostHasEnded(true)
    return killed ?? { gone: false, how: "its guard does not answer", durationMs: limitMs }
  }

  /** Has its actor killed, and sees to it that Ray says DEAD and that its processes are gone. */
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

  /** Nothing more is to be heard of it. */
  close(): void {
    this.#guard?.socket.destroy()
  }
}
