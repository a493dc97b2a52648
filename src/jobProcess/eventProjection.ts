import type { JobEvent } from "../JobEvent.ts"
import {
  type Leftover,
  type Outcome,
  type PhaseReport,
  type ServiceOutcome,
  type ServiceReport,
  type StageReport,
  StopReport,
  type Trigger
} from "../StopReport.ts"

/** What is known of a service. */
interface Entry {
  state: "starting" | "running" | "releasing" | ServiceOutcome
  /** When its state began. */
  at: string
  initialized: boolean
  /** Whether its cleanup was seen to begin. */
  released: boolean
  startMs: number
  releaseMs: number
  error?: string
}

/** Where a service lives that does not live in the process of the job. */
interface Place {
  readonly host: "thread" | "process"
  readonly pid?: number
}

/** How the process of a job ended. */
export interface Death {
  readonly pid: number
  /** Whether it ended by itself, while nobody had asked it to. */
  readonly isLost: boolean
  /** In words, after "its process". */
  readonly how: string
  /** Whether it was seen that nothing of it is left. */
  readonly gone: boolean
  /** How long that took, where it was killed by its supervisor. */
  readonly killMs: number | undefined
  /** Why it was to stop, where the job itself has not said. */
  readonly trigger: Trigger
  readonly reason?: string | undefined
}

/** Whose account it is, and where it runs. The name stands until the job has said its own. */
export interface Account {
  readonly job: string
  readonly jobId?: string | undefined
  readonly environment: string
}

/** Keeps account of a job by what it tells, for the report of one that can no longer make its own. */
export class Ledger {
  readonly #services = new Map<string, Entry>()
  /** The processes of the hosts that are up. */
  readonly #hosts = new Map<string, number>()
  /** The services that live in hosts, and where those are. */
  readonly #places = new Map<string, Place>()
  readonly #phases: Array<PhaseReport> = []
  #phase: Extract<JobEvent, { readonly _tag: "PhaseStarted" }> | undefined
  readonly #environment: string
  /** The counters of its pipelines, as it has last told them. */
  stages: ReadonlyArray<StageReport> = []
  #submitted: { readonly jobId: string; readonly job: string; readonly at: string }
  #request: { readonly trigger: Trigger; readonly reason?: string | undefined } | undefined
  #outcome: Outcome | undefined

  constructor({ environment, job, jobId = crypto.randomUUID() }: Account) {
    this.#environment = environment
    this.#submitted = { jobId, job, at: new Date().toISOString() }
  }

  /** The process groups of the hosts that are up. */
  get hosts(): ReadonlyArray<number> {
    return [...this.#hosts.values()]
  }

  /** The services that have not ended. */
  get pending(): ReadonlyArray<{ readonly name: string; readonly state: string }> {
    return [...this.#services].flatMap(([name, { state }]) => isPending(state) ? [{ name, state }] : [])
  }

  take(event: JobEvent): void {
    switch (event._tag) {
      case "JobSubmitted":
        this.#submitted = event
        break
      case "ServiceStarting":
        this.#services.set(event.service, {
          state: "starting",
          at: event.at,
          initialized: false,
          released: false,
          startMs: 0,
          releaseMs: 0
        })
        break
      case "ServiceStarted":
        this.#set(event, { state: "running", initialized: true, startMs: event.startMs })
        break
      case "ServiceStartFailed":
        this.#set(event, { state: "start-failed", error: event.error })
        break
      case "ServiceFailed":
        this.#set(event, { error: event.error })
        break
      case "ServiceReleasing":
        this.#set(event, { state: "releasing", released: true })
        break
      case "ServiceStopped":
        this.#set(event, { state: event.outcome, releaseMs: event.releaseMs })
        if (event.error !== undefined) this.#set(event, { error: event.error })
        if (event.outcome !== "abandoned") this.#endHosts(event.service)
        break
      case "HostStarted":
        this.#places.set(
          event.service,
          event.pid === undefined ? { host: "thread" } : { host: "process", pid: event.pid }
        )
        if (event.pid !== undefined) this.#hosts.set(hostOf(event), event.pid)
        break
      case "HostLost":
      case "HostKilled":
        this.#hosts.delete(hostOf(event))
        this.#endWithin(event)
        break
      case "RunEnded":
        this.#outcome = event.outcome
        break
      case "StopRequested":
        this.#request ??= event
        break
      case "PhaseStarted":
        this.#phase = event
        break
      case "PhaseEnded":
        this.#phase = undefined
        this.#phases.push({ phase: event.phase, durationMs: event.durationMs, timedOut: event.timedOut })
        break
    }
  }

  /** The report of a job whose process ended before its time. */
  report(death: Death): StopReport {
    const stoppedAt = new Date().toISOString()
    const { at, job, jobId } = this.#submitted
    const { reason, trigger } = this.#request ?? death
    const services = Array.from(
      this.#services,
      ([name, entry]) => lineOf(name, entry, this.#placeOf(name), stoppedAt, death)
    )
    const leftovers: Array<Leftover> = [{ kind: "process", detail: `pid ${death.pid} ${death.how}` }]
    for (const [name, { state }] of this.#services) {
      if (state === "starting") leftovers.push({ kind: "acquire", detail: name })
    }
    const cut = this.#phase
    return StopReport.trusted({
      jobId,
      job,
      environment: this.#environment,
      trigger,
      ...(reason === undefined ? {} : { reason }),
      outcome: this.#outcome ?? (death.isLost || trigger === "failed" ? "failed" : "cancelled"),
      clean: false,
      startedAt: at,
      stoppedAt,
      phases: [
        ...this.#phases,
        ...(cut === undefined ? [] : [{ phase: cut.phase, durationMs: between(cut.at, stoppedAt), timedOut: true }]),
        ...(death.killMs === undefined ? [] : [killPhase(death.killMs, death.gone)])
      ],
      stages: this.stages,
      services,
      leftovers
    })
  }

  #set(event: { readonly service: string; readonly at: string }, change: Partial<Entry>): void {
    const entry = this.#services.get(event.service)
    if (entry !== undefined) Object.assign(entry, change, "state" in change ? { at: event.at } : {})
  }

  /** The services within a host are named after the one that it serves. */
  #placeOf(name: string): Place | undefined {
    for (const [service, place] of this.#places) {
      if (name === service || name.startsWith(`${service}/`) || name.startsWith(`${service}[`)) return place
    }
    return undefined
  }

  #endHosts(service: string): void {
    for (const host of this.#hosts.keys()) {
      if (host.startsWith(`${service}[`)) this.#hosts.delete(host)
    }
  }

  /** The services within a host end with it. */
  #endWithin(host: { readonly service: string; readonly replica: number }): void {
    for (const [name, entry] of this.#services) {
      const isWithin = name.startsWith(`${host.service}/`) || name.startsWith(`${hostOf(host)}/`)
      if (isWithin && isPending(entry.state)) entry.state = entry.initialized ? "killed" : "start-failed"
    }
  }
}

const killPhase = (durationMs: number, gone: boolean): PhaseReport => ({ phase: "kill", durationMs, timedOut: !gone })

const hostOf = ({ replica, service }: { readonly service: string; readonly replica: number }): string =>
  `${service}[${replica}]`

const isPending = (state: Entry["state"]): state is "starting" | "running" | "releasing" =>
  state === "starting" || state === "running" || state === "releasing"

const between = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from))

/** What lived in the process of the job, or in a host of it, when that ended was killed with it. */
const lineOf = (
  name: string,
  entry: Entry,
  place: Place | undefined,
  stoppedAt: string,
  { gone, killMs, pid }: Death
): ServiceReport => {
  const { error, initialized, released, startMs, state } = entry
  const line = {
    name,
    host: "local",
    initialized,
    startMs,
    dependsOn: [],
    ...place,
    ...(error === undefined ? {} : { error })
  }
  if (!isPending(state)) {
    return {
      ...line,
      cleanupCalled: released,
      cleanupCompleted: state === "released" || state === "timed-out",
      running: false,
      outcome: state,
      releaseMs: entry.releaseMs
    }
  }
  return {
    ...line,
    cleanupCalled: released,
    cleanupCompleted: false,
    running: !gone,
    outcome: !initialized ? "start-failed" : gone ? "killed" : "abandoned",
    releaseMs: released ? between(entry.at, stoppedAt) : 0,
    ...(place === undefined ? { pid } : {}),
    ...(killMs === undefined ? {} : { killMs })
  }
}
