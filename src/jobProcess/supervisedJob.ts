import type { Mutable } from "effect/Types"
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { isGroupAlive, type Killed, killGroup, until } from "../process/processGroup.ts"
import { execArgv } from "../host/transport/hostProcess.ts"
import { type Signal, signalCodes } from "../process/signals.ts"
import { longestMs } from "../base/timers.ts"
import { millis } from "../base/format.ts"
import { StopReport, type Trigger } from "../StopReport.ts"
import { type Due, type JobLimits, nextDue, type Times } from "./killDeadline.ts"
import { type Account, Ledger } from "./eventProjection.ts"
import { encode, reader } from "../process/jsonLines.ts"
import { decodeTold, type Reported, type Told } from "./protocol.ts"

/** For a kill, and the look whether it is gone. */
const killMs = 2_000
/** What was told by a process that has ended is here soon. */
const readMs = 500
/** How long what a job has started may take to end after it, by itself. */
const afterglowMs = 100

export interface SupervisedOptions {
  /** Arguments of Node, the file that the process begins with, and what it is given. */
  readonly args: ReadonlyArray<string>
  /** Its environment; that of this process by default. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Whether its input and output are those of this process. Otherwise it has no input, and its output is to be read. */
  readonly sharesOutput: boolean
  readonly account: Account
  readonly limits: JobLimits
  /** Is told all that the job tells, as it comes. */
  readonly onTold: (told: Told) => void
  /** Says something to people, a line at a time. */
  readonly say: (line: string) => void
}

/** A stop that was asked for. */
export interface Request {
  /** By the policy of the job, without waiting for anything, or whatever there still is to stop. */
  readonly urgency: "stop" | "at once" | "exit"
  /** Why, for the report of a job that cannot make its own. */
  readonly trigger: Trigger
  readonly reason?: string | undefined
}

/** How the process of a job ended. Nothing of it is left, but where the report says so. */
export type Ended =
  | { readonly _tag: "NotStarted"; readonly message: string }
  | { readonly _tag: "NotLoaded"; readonly limitMs: number }
  /** By itself, with what it has reported, if there was a job. `leaves` says that something it had started was killed. */
  | {
    readonly _tag: "Exited"
    readonly code: number
    readonly reported: Reported | undefined
    readonly leaves: boolean
  }
  /** Before there was a job to report on. */
  | { readonly _tag: "Early"; readonly signal: Signal }
  /** It was killed, or ended before its time. `exit` is there where it had reported by then. */
  | { readonly _tag: "Died"; readonly how: string; readonly report: StopReport; readonly exit: Reported["exit"] }

/**
 * A job in a process of its own, which leads a group of its own. Its limits hold also where the event loop of that
 * process is blocked, and there is a report also where that process cannot make one.
 */
export class Supervised {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly #options: SupervisedOptions
  readonly #ledger: Ledger
  readonly #times: Mutable<Times> = {
    spawned: performance.now(),
    submitted: Infinity,
    stopping: Infinity,
    reported: Infinity,
    heard: Infinity,
    asked: Infinity,
    askedAtOnce: Infinity,
    askedToExit: Infinity
  }
  #limits: JobLimits
  #request: Request | undefined
  #reported: Reported | undefined
  #timer: NodeJS.Timeout | undefined
  /** What was due, where it came to that. */
  #expired: Due | undefined
  #killing: Promise<Killed> | undefined

  constructor(options: SupervisedOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#ledger = new Ledger(options.account)
    const own = options.sharesOutput ? "inherit" : "pipe"
    this.child = spawn(process.execPath, [...execArgv(), ...options.args], {
      detached: true,
      ...(options.env === undefined ? {} : { env: options.env }),
      // 3 carries what the job tells, 4 what it is asked for; the end of 4 tells it that nobody is here any longer
      stdio: [options.sharesOutput ? "inherit" : "ignore", own, own, "pipe", "pipe"]
    })
    // there are none where the machine has no room for another process
    for (const pipe of this.child.stdio ?? []) pipe?.on("error", () => {})
    const told = this.child.stdio?.[3]
    const read = reader(decodeTold, (message) => this.#take(message))
    if (told instanceof Socket) told.setEncoding("utf8").on("data", read)
    const closed = new Promise((done) => told?.once("close", done))
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", (error) => resolve({ _tag: "NotStarted", message: error.message }))
      this.child.once("exit", (code, signal) => {
        // what it told before is still to be read
        const allRead = Promise.race([closed, new Promise((done) => setTimeout(done, readMs))])
        allRead.then(() => this.#finish(code, signal)).then(resolve, reject)
      })
    })
    this.#arm()
  }

  /** The limits that hold now. */
  get limits(): JobLimits {
    return this.#limits
  }

  /** Whether it is known that the job stops, or has ended. */
  get isStopping(): boolean {
    return this.#times.stopping !== Infinity || this.#hasEnded || this.#expired !== undefined
  }

  /** Passes a request on to the job, as it says it. What is asked for has its limit from now on. */
  request(request: Request, message: object): void {
    const now = performance.now()
    this.#request ??= request
    const { urgency } = request
    this.#times.asked = Math.min(this.#times.asked, now)
    if (urgency !== "stop") this.#times.askedAtOnce = Math.min(this.#times.askedAtOnce, now)
    if (urgency === "exit") this.#times.askedToExit = Math.min(this.#times.askedToExit, now)
    this.send(message)
    this.#arm()
  }

  send(message: object): void {
    const asked = this.child.stdio?.[4]
    if (asked instanceof Socket && asked.writable) asked.write(encode(message))
  }

  /** Kills its group, whatever it does. */
  kill(): Promise<Killed> {
    const { pid } = this.child
    this.#killing ??= pid === undefined
      ? Promise.resolve({ gone: true, how: "it was never there", durationMs: 0 })
      : killGroup(pid, killMs)
    return this.#killing
  }

  /** Why it ended, where it has not said so itself. */
  whyStopped(how: string): Pick<Request, "trigger" | "reason"> {
    if (this.#request !== undefined) return { trigger: this.#request.trigger, reason: this.#request.reason }
    return this.#expired?.why === "after"
      ? { trigger: "deadline", reason: `it ran for ${this.#limits.afterMs} ms` }
      : { trigger: "lost", reason: `its process ${how}` }
  }

  #take(told: Told): void {
    const now = performance.now()
    this.#times.heard = now
    switch (told._tag) {
      case "Limits":
        this.#limits = { ...this.#limits, deadlineMs: told.deadlineMs ?? Infinity }
        break
      case "Stages":
        this.#ledger.stages = told.stages
        break
      case "Reported":
        this.#times.reported = now
        this.#reported = told
        break
      case "Alive":
        break
      default:
        this.#ledger.take(told)
        if (told._tag === "JobSubmitted") this.#times.submitted = now
        if (told._tag === "StopRequested") this.#times.stopping = Math.min(this.#times.stopping, now)
    }
    this.#options.onTold(told)
    this.#arm()
  }

  get #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#expired !== undefined || this.#hasEnded) return
    const due = nextDue(this.#times, this.#limits)
    const ms = due.at - performance.now()
    if (ms === Infinity) return
    if (ms > longestMs) this.#timer = setTimeout(() => this.#arm(), longestMs)
    else this.#timer = setTimeout(() => this.#expire(due), Math.max(0, ms))
  }

  #expire(due: Due): void {
    this.#expired = due
    if (due.why !== "load") {
      this.#options.say(`The job does not ${due.why === "silence" ? "exit" : "stop"}: its process is killed.`)
      this.#sayPending("is still")
    }
    void this.kill()
  }

  #sayPending(how: string): void {
    for (const { name, state } of this.#ledger.pending) this.#options.say(`  service ${name} ${how} ${state}`)
  }

  /** Sees to it that nothing is left of a process that has ended, and says how it went. */
  async #finish(code: number | null, signal: NodeJS.Signals | null): Promise<Ended> {
    clearTimeout(this.#timer)
    const pid = this.child.pid ?? 0
    const isGone = () => !isGroupAlive(pid)
    const isEmpty = this.#killing === undefined && (code === null ? isGone() : await until(isGone, afterglowMs))
    const killed = await this.kill()
    const isKilled = this.#expired !== undefined
    const hadJob = this.#times.submitted !== Infinity
    if (this.#expired?.why === "load") return { _tag: "NotLoaded", limitMs: this.#limits.loadMs }
    if (!isKilled && code !== null && (this.#reported !== undefined || !hadJob)) {
      if (isEmpty) return { _tag: "Exited", code, reported: this.#reported, leaves: false }
      return { _tag: "Exited", code, reported: this.#leaving(pid, killed.how), leaves: true }
    }
    // a signal of the system that was quicker than the first line of its program
    if (!isKilled && !hadJob && signal !== null && isPolite(signal)) return { _tag: "Early", signal }
    return this.#died(pid, killed, code, signal)
  }

  /** What a job that has stopped leaves behind does not outlive it. */
  #leaving(pid: number, how: string): Reported | undefined {
    const detail = `something of process group ${pid} was left, and was killed (${how})`
    this.#options.say(`The job did not end all that it had started: ${detail}.`)
    const reported = this.#reported
    return reported && { ...reported, report: unclean(reported.report, "child-process", detail) }
  }

  async #died(pid: number, killed: Killed, code: number | null, signal: NodeJS.Signals | null): Promise<Ended> {
    const isKilled = this.#expired !== undefined
    const how = isKilled
      ? `was killed (${killed.how}) in ${millis(killed.durationMs)}`
      : signal === null
      ? `exited with code ${code}`
      : `was ended by ${signal}`
    const wasAsked = isKilled || this.#times.askedToExit !== Infinity
    if (!wasAsked) {
      this.#options.say(`The process of the job ${how}.`)
      this.#sayPending("was")
    }
    const gone = [killed.gone, ...await this.#endHosts(wasAsked)].every((gone) => gone)
    if (!gone) this.#options.say("Something of it is left: it does not end when it is killed.")
    const reported = this.#reported
    const report = reported === undefined
      ? this.#ledger.report({
        pid,
        isLost: !wasAsked,
        how,
        gone,
        killMs: isKilled ? killed.durationMs : undefined,
        ...this.whyStopped(how)
      })
      : unclean(reported.report, "process", `pid ${pid} ${how}`)
    return { _tag: "Died", how, report, exit: reported?.exit }
  }

  /** The hosts of its services end by themselves, since their owner is gone. Those that do not are killed. */
  #endHosts(now: boolean): Promise<ReadonlyArray<boolean>> {
    const limitMs = now ? 0 : this.#limits.deadlineMs
    return Promise.all(this.#ledger.hosts.map(async (group) => {
      await until(() => !isGroupAlive(group) || this.#times.askedAtOnce !== Infinity, limitMs)
      return (await killGroup(group, killMs)).gone
    }))
  }
}

const isPolite = (signal: string): signal is Signal => signal in signalCodes

const unclean = (report: StopReport, kind: string, detail: string): StopReport =>
  StopReport.trusted({ ...report, clean: false, leftovers: [...report.leftovers, { kind, detail }] })
