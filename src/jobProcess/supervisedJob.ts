import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Readable } from "node:stream"
import { isoNow, now } from "../base/clock.ts"
import { millis } from "../base/format.ts"
import { type ChildEnd, type ChildProcess, describeEnd } from "../process/childProcess.ts"
import type { Descendant } from "../process/descendants.ts"
import { type Ended, leftoverOf } from "../process/endDescendants.ts"
import { isGroupAlive, type Killed, killGroup, until } from "../process/processGroup.ts"
import type { Leftover } from "../process/processContext.ts"
import { isStill, type ProcessEntry } from "../process/processTable.ts"
import type { Signal } from "../process/signals.ts"
import { deathReport } from "./deathReport.ts"
import { EventProjection, type JobIdentity } from "./eventProjection.ts"
import { type JobEnd, kindOfEnd, withLeftovers } from "./jobEnd.ts"
import * as State from "./jobProcessState.ts"
import { type JobLimits, type Kill, nextKill } from "./nextKill.ts"
import { ask, type Asked, isUrgent, nothing } from "./parentRequests.ts"
import { type PipeLimits, pipeLimits } from "./pipeLimits.ts"
import { PipeMeter } from "./pipeMeter.ts"
import {
  decodeJobMessage,
  type JobMessage,
  type ParentMessage,
  type Reported,
  type Start,
  type StopRequest
} from "./protocol.ts"

/** The limit of a kill, with the check that the process is gone. */
const killMs = 2_000
/** The time for reading the last messages of a process that has ended. */
const readMs = 500
/** The time that the processes which a job has started have to end by themselves after it. */
const afterglowMs = 100
/** The time that processes which outlived the group of the job have to end at a SIGTERM: they have had that of the job. */
const politeMs = 100

export interface SupervisedOptions {
  /** The process of the job, which has no job yet. */
  readonly child: ChildProcess
  readonly identity: JobIdentity
  readonly limits: JobLimits
  /** The limits of its messages; `pipeLimits` by default. */
  readonly pipe?: Partial<PipeLimits>
  readonly clock: Clock.Clock
  /** Called with each message, as it comes. */
  readonly onMessage: (message: JobMessage) => void
  /** Takes the process over, if it has ended its job and waits for another one. */
  readonly onIdle?: (child: ChildProcess) => void
  /** Prints a line for people. */
  readonly say: (line: string) => void
}

/**
 * A job in a process of its own. Its limits hold even if the event loop of that process is blocked, and there is a report
 * even if that process cannot make one. See `jobProcessState.ts` for its states, `parentRequests.ts` for
 * what it is asked, `nextKill.ts` for its limits.
 */
export class SupervisedJob {
  readonly ended: Promise<JobEnd>
  readonly #options: SupervisedOptions
  readonly #clock: Clock.Clock
  readonly #child: ChildProcess
  readonly #projection: EventProjection
  readonly #meter: PipeMeter
  /** The processes of its hosts that it was proved to have started, by their ids. */
  readonly #hosts = new Map<number, ProcessEntry>()
  readonly #stopReceiving: () => void
  #resolve: (end: JobEnd) => void = () => {}
  #state: State.JobProcessState
  #asked: Asked = nothing
  #limits: JobLimits
  /** The reason why the process was killed, if that is what it sent. */
  #flood: string | undefined
  #timer: Fiber.Fiber<void> | undefined
  #killed: Promise<Killed> | undefined
  /** The processes that it had started and that were there when its group was killed. */
  #rest: ReadonlyArray<Descendant> = []

  constructor(options: SupervisedOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#limits = options.limits
    this.#state = State.starting(now(options.clock))
    this.#projection = new EventProjection(options.identity)
    const { child } = options
    this.#child = child
    const limits = { ...pipeLimits, ...options.pipe }
    this.#meter = new PipeMeter(limits, now(options.clock))
    this.#stopReceiving = child.receive({
      longest: limits.message,
      onLine: (line) => this.#readLine(line),
      onTooLong: () => this.#flooded(this.#meter.tooLong)
    })
    this.ended = new Promise((resolve, reject) => {
      const stopListening = child.ended.onOpen(() => {
        this.#timer?.interruptUnsafe()
        if (child.end !== undefined) this.#finish(child.end).then(resolve, reject)
      })
      this.#resolve = (end) => {
        stopListening()
        resolve(end)
      }
    })
    this.#startTimer()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The ids of its process and of those of its hosts, as far as they run here. */
  get pids(): ReadonlyArray<number> {
    const hosts = Array.from(this.#hosts.values()).filter(isStill).map(({ pid }) => pid)
    return this.pid === undefined ? hosts : [this.pid, ...hosts]
  }

  get output(): Readonly<Record<"stdout" | "stderr", Readable | undefined>> {
    return this.#child
  }

  /** The limits that hold now. */
  get limits(): JobLimits {
    return this.#limits
  }

  /** True once the job has begun to stop, and after the end of its process. */
  get isStopping(): boolean {
    return this.#child.end !== undefined || State.isStopping(this.#state)
  }

  start(start: Omit<Start, "_tag">): void {
    this.#send({ _tag: "Start", ...start })
  }

  /** Asks the job to stop. From now on the stop has its limit. */
  stop(request: StopRequest): void {
    this.#ask(request, { _tag: "Stop", request })
  }

  /** Passes a signal on. `count` is the number of signals so far: the second kills, and the third asks for the exit. */
  signal(signal: Signal, count: number): void {
    const request = { trigger: "signal", mode: count > 1 ? "kill" : "drain", reason: signal } as const
    this.#ask(request, { _tag: "Signal", signal, count }, count > 2)
  }

  /** Tells the process, and no other of its group, that the size of the terminal has changed. */
  resized(): void {
    this.#child.signal("SIGWINCH")
  }

  /** Kills its group, whatever the process does. */
  kill(why: State.KillReason = "interrupt"): Promise<Killed> {
    this.#state = State.killed(this.#state, why)
    return this.#killGroup()
  }

  /**
   * Returns why the job has stopped, unless it says so itself. `how` is the predicate of a sentence about its process.
   */
  stopReason(how: string): Pick<StopRequest, "trigger" | "reason"> {
    if (this.#flood !== undefined) return { trigger: "failed", reason: this.#flood }
    if (this.#asked._tag !== "Nothing") return this.#asked.request
    return State.killReasonOf(this.#state) === "after"
      ? { trigger: "deadline", reason: `it ran for ${this.#limits.afterMs} ms` }
      : { trigger: "lost", reason: `its process ${how}` }
  }

  #ask(request: StopRequest, message: ParentMessage, exits = false): void {
    this.#asked = ask(this.#asked, request, now(this.#clock), exits)
    this.#send(message)
    this.#startTimer()
  }

  #send(message: ParentMessage): void {
    this.#child.send(message)
  }

  #readLine(line: string): void {
    if (this.#flood !== undefined) return
    const message = Option.getOrUndefined(decodeJobMessage(line))
    const verdict = this.#meter.take(message, Buffer.byteLength(line), now(this.#clock))
    if (verdict._tag === "Kill") return this.#flooded(verdict.reason)
    if (message !== undefined) this.#receive(message)
    if (verdict._tag === "Stop") this.stop({ trigger: "failed", mode: "cancel", reason: verdict.reason })
    else if (verdict.pauseMs > 0) this.#child.pauseReceiving(verdict.pauseMs)
  }

  /** A process that sends more than this one takes is not asked to stop: it might not be heard. */
  #flooded(reason: string): void {
    if (this.#flood !== undefined) return
    this.#flood = reason
    this.#child.endReceiving()
    this.#options.say(`The process of the job is killed, because ${reason}.`)
    void this.kill("flood")
  }

  #receive(message: JobMessage): void {
    this.#state = State.received(this.#state, message, now(this.#clock))
    switch (message._tag) {
      case "Limits":
        this.#limits = { ...this.#limits, deadlineMs: message.deadlineMs ?? Infinity }
        break
      case "Stages":
        this.#projection.stages = message.stages
        break
      case "Reported":
      case "Alive":
      case "Spans":
      case "Calls":
        break
      case "Idle":
        return this.#becameIdle()
      case "HostStarted":
        this.#noteHost(message.pid)
        this.#projection.apply(message)
        break
      default:
        this.#projection.apply(message)
    }
    this.#options.onMessage(message)
    this.#startTimer()
  }

  /** Lets the process go if nothing of its job is left; otherwise the process ends as it would have without another job. */
  #becameIdle(): void {
    const { onIdle } = this.#options
    const state = this.#state
    if (state._tag !== "Reported" || this.#child.end !== undefined) return
    if (onIdle === undefined || this.#asked._tag !== "Nothing" || this.#child.descendants.length > 0) {
      return this.#child.signal("SIGTERM")
    }
    this.#timer?.interruptUnsafe()
    this.#stopReceiving()
    this.#state = State.ended(state)
    this.#resolve({ _tag: "Exited", code: 0, reported: state.reported, hadLeftovers: false })
    onIdle(this.#child)
  }

  /** Waits for the next kill that is due now that something has changed. */
  #startTimer(): void {
    this.#timer?.interruptUnsafe()
    const state = this.#state
    if (state._tag === "Killing" || state._tag === "Ended" || this.#child.end !== undefined) return
    const kill = nextKill(state, this.#asked, this.#limits)
    if (kill.at === Infinity) return
    const ms = Math.max(0, kill.at - now(this.#clock))
    this.#timer = Effect.runForkWith(Context.make(Clock.Clock, this.#clock))(
      Effect.andThen(Effect.sleep(ms), Effect.sync(() => this.#expired(kill)))
    )
  }

  #expired({ why }: Kill): void {
    if (why !== "load") {
      this.#options.say(`The job does not ${why === "silence" ? "exit" : "stop"}: its process is killed.`)
      this.#sayPending("is still")
    }
    void this.kill(why)
  }

  #killGroup(): Promise<Killed> {
    if (this.#killed === undefined) this.#rest = this.#child.descendants
    return this.#killed ??= this.#child.kill(killMs)
  }

  #sayPending(verb: string): void {
    for (const { name, state } of this.#projection.pending) this.#options.say(`  service ${name} ${verb} ${state}`)
  }

  /** Makes sure that nothing is left of a process that has ended. */
  async #finish(end: ChildEnd): Promise<JobEnd> {
    // the messages that it sent before its end may still be unread
    await this.#child.allRead(readMs)
    const isGone = () => !this.#child.isGroupAlive && this.#child.descendants.length === 0
    const wasAlone = State.killReasonOf(this.#state) === undefined &&
      (end._tag === "Exited" ? await until(isGone, afterglowMs) : isGone())
    const killed = await this.#killGroup()
    this.#state = State.ended(this.#state)
    const kind = kindOfEnd(end, this.#state)
    switch (kind._tag) {
      case "NotStarted":
      case "EndedBySignal":
        return kind
      case "NotLoaded":
        return { ...kind, limitMs: this.#limits.loadMs }
      case "Exited":
        return wasAlone
          ? { ...kind, hadLeftovers: false }
          : { ...kind, reported: await this.#withLeftovers(kind.reported, killed), hadLeftovers: true }
      case "Died":
        return this.#died(end, killed)
    }
  }

  /** Adds to a report that the job has left something behind. That was killed, because it must not outlive the job. */
  async #withLeftovers(reported: Reported | undefined, { how }: Killed): Promise<Reported | undefined> {
    const rest = await this.#endRest()
    const leftovers = rest.length > 0
      ? rest
      : [{ kind: "child-process", detail: `something of process group ${this.pid} was left, and was killed (${how})` }]
    const details = leftovers.map(({ detail }) => detail).join(", ")
    this.#options.say(`The job did not end all that it had started: ${details}.`)
    return reported && { ...reported, report: withLeftovers(reported.report, leftovers) }
  }

  /** Ends what the job has started outside of its group, too, and names all that was left. */
  async #endRest(): Promise<ReadonlyArray<Leftover>> {
    const ends = new Map(this.#rest.map(({ command, pid }): [number, Ended] => [pid, { command, pid, end: "killed" }]))
    for (const ended of await this.#child.endDescendants(politeMs)) ends.set(ended.pid, ended)
    return Array.from(ends.values(), leftoverOf)
  }

  async #died(end: ChildEnd, killed: Killed): Promise<JobEnd> {
    const isKilled = State.killReasonOf(this.#state) !== undefined
    const because = this.#flood === undefined ? "" : `, because ${this.#flood}`
    const how = isKilled ? `was killed (${killed.how}) in ${millis(killed.durationMs)}${because}` : describeEnd(end)
    const wasAsked = isKilled || this.#asked._tag === "Exit"
    if (!wasAsked) {
      this.#options.say(`The process of the job ${how}.`)
      this.#sayPending("was")
    }
    const areHostsGone = await this.#endHosts(wasAsked)
    const rest = await this.#endRest()
    const gone = [killed.gone, ...areHostsGone].every((gone) => gone)
    if (!gone) this.#options.say("Something of it is left: it does not end when it is killed.")
    const last = State.liveStateOf(this.#state)
    const pid = this.pid ?? 0
    if (last._tag === "Reported") {
      const { exit, report } = last.reported
      const leftovers = [{ kind: "process", detail: `pid ${pid} ${how}` }, ...rest]
      return { _tag: "Died", how, report: withLeftovers(report, leftovers), exit }
    }
    const report = deathReport(this.#projection, {
      pid,
      at: isoNow(this.#clock),
      isLost: !wasAsked,
      how,
      gone,
      killMs: isKilled ? killed.durationMs : undefined,
      ...this.stopReason(how)
    })
    return { _tag: "Died", how, report: withLeftovers(report, rest), exit: undefined }
  }

  /**
   * The id in an event is what the job says. A process of that id may be another's, and a host of Ray runs on another machine:
   * only one that the job is proved to have started is ever signalled.
   */
  #noteHost(pid: number | undefined): void {
    const entry = pid === undefined ? undefined : this.#child.provenDescendant(pid)
    if (entry !== undefined && entry.group === entry.pid) this.#hosts.set(entry.pid, entry)
  }

  /** The hosts of its services end by themselves, because their owner has ended. A host that does not is killed. */
  #endHosts(atOnce: boolean): Promise<ReadonlyArray<boolean>> {
    const limitMs = atOnce ? 0 : this.#limits.deadlineMs
    const hosts = this.#projection.hostPids.flatMap((pid) => this.#hosts.get(pid) ?? [])
    return Promise.all(hosts.map(async (host) => {
      const isGone = () => !isStill(host) && !isGroupAlive(host.pid)
      await until(() => isGone() || isUrgent(this.#asked), limitMs)
      // what is left of a group without its leader is found by its mark
      return !isStill(host) || (await killGroup(host.pid, killMs)).gone
    }))
  }
}
