import { createDiffieHellmanGroup, createHash, randomBytes } from "node:crypto"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { entries } from "../entryPoints.ts"
import { messageOf } from "../../base/errorText.ts"
import { longestMs } from "../../base/timers.ts"
import { isFinal, type JobDetails, RayApi } from "./api.ts"
import { clusterPath, packages } from "./packages.ts"
import { dial, type Message, type Peer } from "./peer.ts"
import type { RaySettings } from "./settings.ts"

/** The oldest Node that a host runs with. */
const atLeast = [22, 19]

/** How long the driver waits for its owner to connect, which looks for it all the time. */
const ownerMs = 30_000

/** How often it is asked what nobody tells. */
const pollMs = 100

/** How long Ray looks after a job that has ended. */
const lookedAfterMs = 3_500

/** How long a cluster that is asked about its actors may not answer. */
const silentMs = 2_000

/** What is added to the limit of a host before Ray may kill the driver that waits for it. */
const stopSeconds = 10

export interface RayJobOptions {
  readonly api: RayApi
  readonly settings: RaySettings
  readonly service: string
  /** How long a host may take to clean up. */
  readonly limitMs: number
}

/** Where the guard of an actor is. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly actorId: string
  readonly nodeId: string
}

/** The driver of the job, which creates and kills actors. */
interface Driver {
  readonly peer: Peer
  readonly key: Uint8Array
  /** Ray's id of the job, by which it knows its actors. */
  readonly jobId: string
}

/** One job of a Ray cluster: the actors of one service, for as long as it runs. */
export class RayJob {
  readonly id: string
  /** Opens when there is no driver any longer. */
  readonly lost = new OneShotLatch()
  /** Opens when somebody else has it stopped. */
  readonly stopped = new OneShotLatch()
  readonly #options: RayJobOptions
  readonly #driver: Promise<Driver>
  readonly #listeners = new Map<string, (message: Message) => void>()
  #isEnding = false
  #isSubmitted = false
  #jobId: string | undefined

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

  /** Has an actor created, and gives where its guard is. What else is told of it goes to the listener. */
  async create(name: string, listen: (message: Message) => void): Promise<{ place: Place; key: Uint8Array }> {
    const { key, peer } = await this.#driver
    return new Promise((resolve, reject) => {
      const off = this.lost.onOpen(() =>
        reject(new Error(`the Ray job ${this.id} ${this.stopped.isOpen ? "was stopped" : "has ended"}`))
      )
      this.#listeners.set(name, (message) => {
        const { dead, place } = message
        if (place === undefined && dead === undefined) return listen(message)
        off()
        this.#listeners.set(name, listen)
        if (place === undefined) return reject(new Error(String(dead)))
        // safe: the driver comes with this file
        const given = place as Place & { readonly error?: string }
        if (given.error !== undefined) return reject(new Error(this.#named(given.error)))
        resolve({ place: given, key })
      })
      peer.say({ ask: "create", name })
    })
  }

  /** What an actor that was not created yet asks for, and what there is, for people. */
  async lacks(): Promise<string> {
    const asked = JSON.stringify(this.#options.settings.actor)
    const nodes = await this.#options.api.nodes().catch(() => undefined)
    const there = nodes === undefined ? "not known" : JSON.stringify(nodes)
    return `; its actor was not created yet: it asks for ${asked}, and what the nodes of the cluster have is ${there}`
  }

  /** Has an actor killed, with no restart. */
  kill(name: string): void {
    void this.#driver.then(({ peer }) => peer.say({ ask: "kill", name }), () => {})
  }

  /** Waits until Ray says that an actor is DEAD, or the time is up. */
  async isDead(actorId: string, limitMs: number): Promise<boolean> {
    const end = performance.now() + limitMs
    while (true) {
      const alive = await this.#alive(end)
      if (alive !== undefined && !alive.includes(actorId)) return true
      if (performance.now() >= end) return false
      await sleep(pollMs / 2)
    }
  }

  /** Ends the job and deletes it. Gives what could not be seen to have gone. */
  async end(limitMs: number): Promise<ReadonlyArray<string>> {
    this.#isEnding = true
    const end = performance.now() + limitMs
    const left = () => Math.max(0, end - performance.now())
    if (!this.#isSubmitted) return []
    const driver = await within(this.#driver.catch(() => undefined), left())
    const { api } = this.#options
    // it was refused
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
    else driver.peer.say({ ask: "end" })
    await tryTo("was not seen to end", async () => {
      while (!isFinal(await api.job(this.id))) await sleep(pollMs / 2)
    })
    const alive = driver === undefined && this.#jobId === undefined ? [] : await this.#deadAll(end)
    if (alive === undefined) problems.push(`of the Ray job ${this.id} it could not be seen whether its actors are DEAD`)
    else for (const actorId of alive) problems.push(`actor ${actorId} of the Ray job ${this.id} is not DEAD`)
    if (problems.length === 0) await tryTo("could not be deleted", () => this.#delete(end - 2 * pollMs))
    driver?.peer.socket.destroy()
    return problems
  }

  /**
   * Ray looks at each job every few seconds, and puts back as failed one that was deleted since it last did: it is
   * deleted again then. Where there is no time for that it stays, as failed as it is final.
   */
  async #delete(end: number): Promise<void> {
    const { api } = this.#options
    const until = Math.min(end, performance.now() + lookedAfterMs)
    await api.delete(this.id)
    while (performance.now() < until) {
      await sleep(pollMs)
      if (await api.hasJob(this.id)) return api.delete(this.id)
    }
  }

  async #deadAll(end: number): Promise<ReadonlyArray<string> | undefined> {
    const silentUntil = Math.min(end, performance.now() + silentMs)
    while (true) {
      const alive = await this.#alive(end)
      const now = performance.now()
      if (alive?.length === 0 || now >= end || (alive === undefined && now >= silentUntil)) return alive
      await sleep(pollMs / 2)
    }
  }

  #asking: Promise<ReadonlyArray<string> | undefined> | undefined

  /** The actors that are not DEAD; nobody knows where the cluster does not say. Those who ask at once are told at once. */
  #alive(end: number): Promise<ReadonlyArray<string> | undefined> {
    const jobId = this.#jobId
    if (jobId === undefined) return Promise.resolve(undefined)
    this.#asking ??= this.#options.api.actors(jobId)
      .then(
        (actors) => actors.filter(({ state }) => state !== "DEAD").map(({ actor_id }) => actor_id),
        () => undefined
      )
      .finally(() => this.#asking = undefined)
    return within(this.#asking, Math.max(0, end - performance.now()))
  }

  async #start(): Promise<Driver> {
    const { api, settings } = this.#options
    const own = createDiffieHellmanGroup("modp14")
    const plan = { ...this.#plan(), prime: own.getPrime("hex"), public: own.generateKeys("hex") }
    const runtimeEnv = await packages(api, settings.runtimeEnv)
    this.#continue()
    this.#isSubmitted = true
    await api.submit({
      submission_id: this.id,
      entrypoint: `${quoted(settings.python)} -m autostop_host ${Buffer.from(JSON.stringify(plan)).toString("hex")}`,
      runtime_env: { ...runtimeEnv, env_vars: { ...Object(runtimeEnv["env_vars"]), ...this.#env() } },
      metadata: { service: this.#options.service }
    })
    const hello = await this.#hello()
    const shared = own.computeSecret(Buffer.from(hello.public.padStart(2 * own.getPrime().length, "0"), "hex"))
    const key = createHash("sha256").update(shared).digest()
    this.#jobId = hello.jobId
    const peer = await dial(hello, key, "driver")
    peer.listen((message) => {
      if (message["over"] !== true) this.#listeners.get(String(message["name"]))?.(message)
      else if (!this.#isEnding) this.stopped.open()
    })
    peer.closed.onOpen(() => this.lost.open())
    return { peer, key, jobId: hello.jobId }
  }

  #plan() {
    const { limitMs, settings } = this.#options
    const { actor, namespace, node } = settings
    return {
      name: this.id,
      namespace: namespace ?? this.id,
      node,
      atLeast,
      guard: [clusterPath(entries.rayGuard.href, settings.runtimeEnv)],
      actor,
      limitMs,
      ownerMs
    }
  }

  #env() {
    const { limitMs } = this.#options
    return {
      // the processes of an actor have a guard, who lets them clean up
      RAY_kill_child_processes_on_worker_exit: "0",
      RAY_JOB_STOP_WAIT_TIME_S: String(Number.isFinite(limitMs) ? Math.ceil(limitMs / 1_000) + stopSeconds : 86_400)
    }
  }

  /** What the driver prints first. */
  async #hello(): Promise<
    { readonly host: string; readonly port: number; readonly public: string; readonly jobId: string }
  > {
    const { api } = this.#options
    while (true) {
      this.#continue()
      const [, json] = /^autostop (\{.*\})$/m.exec(await api.logs(this.id)) ?? []
      // safe: the driver comes with this file
      if (json !== undefined) return JSON.parse(json)
      const details = await api.job(this.id)
      if (isFinal(details)) throw new Error(await this.#failure(details))
      await sleep(pollMs)
    }
  }

  async #failure({ message, status }: JobDetails): Promise<string> {
    const logs = (await this.#options.api.logs(this.id)).trim().split("\n").slice(-20).join("\n")
    return `the Ray job ${this.id} is ${status}: ${this.#named(message ?? "")}${
      logs === "" ? "" : `; its log ends with:\n${logs}`
    }`
  }

  /** What there is to set, where it is about that. */
  #named(error: string): string {
    const { names, node } = this.#options.settings
    if (/ could not be run on node | is Node v/.test(error)) {
      return `${error}; Node ${atLeast.join(".")} or later is needed there: set ${names.node}, which is "${node}"`
    }
    return error.startsWith("the guard on node ")
      ? `${error}; this package is to be at that path there, or in the working_dir of ${names.runtimeEnv}; ` +
        "what the guard has said is in Ray's log of the actor"
      : error
  }

  #continue(): void {
    if (this.#isEnding) throw new Error("it was stopped while it started")
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits no longer than that: then it rejects, where there is a reason to, or gives nothing. */
export function within<A>(wait: Promise<A>, ms: number): Promise<A | undefined>
export function within<A>(wait: Promise<A>, ms: number, late: string): Promise<A>
export function within<A>(wait: Promise<A>, ms: number, late?: string): Promise<A | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => late === undefined ? resolve(undefined) : reject(new Error(late)),
      Math.min(ms, longestMs)
    )
    wait.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

const quoted = (text: string): string => /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
