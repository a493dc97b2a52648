import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Readable } from "node:stream"
import { now } from "../base/clock.ts"
import type { ChildEnd, ChildProcess } from "../process/childProcess.ts"
import { type Killed, until } from "../process/processGroup.ts"
import type { Signal } from "../process/signals.ts"
import { endOf, sayPending } from "./endedJob.ts"
import { EventProjection, type JobIdentity } from "./eventProjection.ts"
import type { JobEnd } from "./jobEnd.ts"
import { JobFamily } from "./jobFamily.ts"
import * as State from "./jobProcessState.ts"
import { type JobLimits, type Kill, nextKill } from "./nextKill.ts"
import { ask, type Asked, nothing } from "./parentRequests.ts"
import { type PipeLimits, pipeLimits } from "./pipeLimits.ts"
import { PipeMeter } from "./pipeMeter.ts"
import { decodeJobMessage, type JobMessage, type ParentMessage, type Start, type StopRequest } from "./protocol.ts"

/** The time for reading the last messages of a process that has ended. */
const readMs = 500
/** The time that the processes which a job has started have to end by themselves after it. */
const afterglowMs = 100

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
 * even if that process cannot make one. See `jobProcessState.ts` for its states, `parentRequests.ts` for what it is asked,
 * `nextKill.ts` for its limits, `jobFamily.ts` for its processes, `endedJob.ts` for its end.
 */
export class SupervisedJob {
  readonly ended: Promise<JobEnd>
  readonly #options: SupervisedOptions
  readonly #clock: Clock.Clock
  readonly #child: ChildProcess
  readonly #projection: EventProjection
  readonly #meter: PipeMeter
  readonly #family: JobFamily
  readonly #stopReceiving: () => void
  #resolve: (end: JobEnd) => void = () => {}
  #state: State.JobProcessState
  #asked: Asked = nothing
  #limits: JobLimits
  /** The reason why the process was killed, if that is what it sent. */
  #flood: string | undefined
  #timer: Fiber.Fiber<void> | undefined

  constructor(options: SupervisedOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#limits = options.limits
    this.#state = State.starting(now(options.clock))
    this.#projection = new EventProjection(options.identity)
    const { child } = options
    this.#child = child
    this.#family = new JobFamily(child)
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
    return this.#family.pids
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
    return this.#family.kill()
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
      case "Usage":
        break
      case "Idle":
        return this.#becameIdle()
      case "HostStarted":
        this.#family.noteHost(message.pid)
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
      sayPending({ projection: this.#projection, say: this.#options.say }, "is still")
    }
    void this.kill(why)
  }

  /** Makes sure that nothing is left of a process that has ended. */
  async #finish(end: ChildEnd): Promise<JobEnd> {
    // the messages that it sent before its end may still be unread
    await this.#child.allRead(readMs)
    const isGone = () => this.#family.isGone
    const wasAlone = State.killReasonOf(this.#state) === undefined &&
      (end._tag === "Exited" ? await until(isGone, afterglowMs) : isGone())
    const killed = await this.#family.kill()
    this.#state = State.ended(this.#state)
    return endOf({
      end,
      state: this.#state,
      killed,
      wasAlone,
      pid: this.pid,
      family: this.#family,
      projection: this.#projection,
      limits: this.#limits,
      clock: this.#clock,
      flood: this.#flood,
      asked: () => this.#asked,
      stopReason: (how) => this.stopReason(how),
      say: this.#options.say
    })
  }
}
