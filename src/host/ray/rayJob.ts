import { randomBytes } from "node:crypto"
import { messageOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { ActorStates } from "./actorStates.ts"
import { sleep, within } from "./boundedWait.ts"
import type { Message } from "./keyedConnection.ts"
import { isFinal } from "./rayApi.ts"
import { type Driver, type RayJobOptions, startDriver, withAdvice } from "./rayDriver.ts"

/** The interval at which a cluster is asked whether a job has ended. */
const pollMs = 50

/** The interval at which a cluster is asked whether a job that was deleted is back. */
const deletedPollMs = 100

/** How long Ray looks after a job that has ended. */
const lookedAfterMs = 3_500

/** Where the guard of an actor listens. */
export interface GuardAddress {
  readonly host: string
  readonly port: number
  readonly actorId: string
  readonly nodeId: string
}

/** One job of a Ray cluster: the actors of one service. */
export class RayJob {
  readonly id: string
  /** Opens once there is no driver any longer. */
  readonly lost = new OneShotLatch()
  /** Opens when the job is stopped by someone else than its owner. */
  readonly stopped = new OneShotLatch()
  readonly #options: RayJobOptions
  readonly #driver: Promise<Driver>
  readonly #listeners = new Map<string, (message: Message) => void>()
  #isEnding = false
  /** Ray may know the job. */
  #isSubmitted = false
  /** Set once the driver has said which job it is. */
  #actors: ActorStates | undefined

  constructor(options: RayJobOptions) {
    this.#options = options
    const { service } = options
    this.id = `autostop-${service.replace(/[^A-Za-z0-9]+/g, "-")}-${randomBytes(6).toString("hex")}`
    this.#driver = this.#start()
    this.#driver.catch(() => this.lost.open())
  }

  get limitMs(): number {
    return this.#options.limitMs
  }

  /** Creates an actor, and resolves with the address of its guard. Later messages about it go to the listener. */
  async create(
    name: string,
    listen: (message: Message) => void
  ): Promise<{ readonly guard: GuardAddress; readonly key: Uint8Array }> {
    const { connection, key } = await this.#driver
    return new Promise((resolve, reject) => {
      const off = this.lost.onOpen(() =>
        reject(new Error(`the Ray job ${this.id} ${this.stopped.isOpen ? "was stopped" : "has ended"}`))
      )
      this.#listeners.set(name, (message) => {
        const { dead, place } = message
        if (place === undefined && dead === undefined) return listen(message)
        off()
        this.#listeners.set(name, listen)
        if (place === undefined) return reject(new Error(messageOf(dead)))
        // safe: `host.py` comes with this file
        const guard = place as GuardAddress & { readonly error?: string }
        if (guard.error !== undefined) return reject(new Error(withAdvice(guard.error, this.#options.settings)))
        resolve({ guard, key })
      })
      connection.say({ ask: "create", name })
    })
  }

  /** What an actor that was not created yet asks for, and what the cluster has, as the end of a sentence. */
  async lacks(): Promise<string> {
    const asked = JSON.stringify(this.#options.settings.actor)
    const nodes = await this.#options.api.nodes().catch(() => undefined)
    const there = nodes === undefined ? "not known" : JSON.stringify(nodes)
    return `; its actor was not created yet: it asks for ${asked}, and what the nodes of the cluster have is ${there}`
  }

  /** Kills an actor, with no restart. */
  kill(name: string): void {
    void this.#driver.then(({ connection }) => connection.say({ ask: "kill", name }), () => {})
  }

  /** Waits until Ray says that an actor is DEAD; resolves with false if the time is up before. */
  async isDead(actorId: string, limitMs: number): Promise<boolean> {
    return this.#actors === undefined ? false : this.#actors.isDead(actorId, limitMs)
  }

  /** Ends the job and deletes it. Resolves with what was not seen to end. */
  async end(limitMs: number): Promise<ReadonlyArray<string>> {
    this.#isEnding = true
    const end = performance.now() + limitMs
    const left = () => Math.max(0, end - performance.now())
    if (!this.#isSubmitted) return []
    const driver = await within(this.#driver.catch(() => undefined), left())
    const { api } = this.#options
    // the cluster refused the job
    if (driver === undefined && await within(api.hasJob(this.id).catch(() => true), left()) === false) return []
    const problems: Array<string> = []
    const tryTo = async (what: string, act: () => Promise<void>) => {
      try {
        await within(act(), left(), "there was no time left")
      } catch (error) {
        problems.push(`the Ray job ${this.id} ${what}: ${messageOf(error)}`)
      }
    }
    if (driver === undefined) await tryTo("could not be stopped", () => api.stop(this.id))
    else driver.connection.say({ ask: "end" })
    await tryTo("was not seen to end", async () => {
      while (!isFinal(await api.job(this.id))) await sleep(pollMs)
    })
    const alive = this.#actors === undefined ? [] : await this.#actors.unended(left())
    if (alive === undefined) problems.push(`of the Ray job ${this.id} it could not be seen whether its actors are DEAD`)
    else for (const actorId of alive) problems.push(`actor ${actorId} of the Ray job ${this.id} is not DEAD`)
    if (problems.length === 0) await tryTo("could not be deleted", () => this.#delete(end - 2 * deletedPollMs))
    driver?.connection.socket.destroy()
    return problems
  }

  /**
   * Deletes the job. Ray looks at each job every few seconds, and brings one that was deleted in between back as failed:
   * that one is deleted again. Without time for that it stays, as failed.
   */
  async #delete(end: number): Promise<void> {
    const { api } = this.#options
    const until = Math.min(end, performance.now() + lookedAfterMs)
    await api.delete(this.id)
    while (performance.now() < until) {
      await sleep(deletedPollMs)
      if (await api.hasJob(this.id)) return api.delete(this.id)
    }
  }

  async #start(): Promise<Driver> {
    const driver = await startDriver(this.id, this.#options, {
      check: () => {
        if (this.#isEnding) throw new Error("it was stopped while it started")
      },
      onSubmit: () => void (this.#isSubmitted = true),
      onJobId: (jobId) => void (this.#actors = new ActorStates(this.#options.api, jobId))
    })
    driver.connection.listen((message) => {
      if (message["over"] !== true) this.#listeners.get(String(message["name"]))?.(message)
      else if (!this.#isEnding) this.stopped.open()
    })
    driver.connection.closed.onOpen(() => this.lost.open())
    return driver
  }
}
