import * as Effect from "effect/Effect"
import type { Mutable } from "effect/Types"
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { isGroupAlive, killGroup, until } from "../host/group.ts"
import type { Killed } from "../host/link.ts"
import { execArgv } from "../host/process.ts"
import { type Owner, type Signal, signalCodes } from "../internal/owner.ts"
import { millis } from "../internal/render.ts"
import { StopReport, type Trigger } from "../StopReport.ts"
import { type Due, type JobLimits, nextDue, type Times } from "./due.ts"
import { Ledger } from "./ledger.ts"
import { Refusal } from "./refusal.ts"
import { decodeTold, encode, reader, type Told } from "./wire.ts"

/** When it is said of a job that it does not answer a signal. */
const answerMs = 1_000
/** For a kill, and the look whether it is gone. */
const killMs = 2_000
/** What was told by a process that has ended is here soon. */
const readMs = 500
/** How long what a job has started may take to end after it, by itself. */
const afterglowMs = 100

export interface IsolateOptions {
  readonly owner: Owner
  /** The command line of the job. */
  readonly args: ReadonlyArray<string>
  readonly module: string
  readonly limits: JobLimits
}

export interface Ending {
  readonly code: number
  /** There is none where nothing was started. */
  readonly report: StopReport | undefined
}

/**
 * Runs a job in a process of its own, which leads a group of its own, and sees to it that the deadline holds also where
 * the event loop of that process is blocked. Everything that the job tells arrives here as it happens.
 */
export const isolate = (options: IsolateOptions): Effect.Effect<Ending, Refusal> =>
  Effect.callback((resume) => {
    const isolated = new Isolated(options)
    isolated.ended.then(
      (ending) => resume(Effect.succeed(ending)),
      (error) => resume(error instanceof Refusal ? Effect.fail(error) : Effect.die(error))
    )
    return Effect.promise(() => isolated.kill())
  })

class Isolated {
  readonly ended: Promise<Ending>
  readonly #options: IsolateOptions
  readonly #ledger: Ledger
  readonly #child: ChildProcess
  readonly #signals: Array<number> = []
  readonly #times: Mutable<Times> = {
    spawned: performance.now(),
    submitted: Infinity,
    stopping: Infinity,
    reported: Infinity,
    heard: Infinity,
    signals: this.#signals
  }
  #limits: JobLimits
  #signal: Signal | undefined
  #report: StopReport | undefined
  #timer: NodeJS.Timeout | undefined
  /** What was due, where it came to that. */
  #expired: Due | undefined
  #killing: Promise<Killed> | undefined

  constructor(options: IsolateOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#ledger = new Ledger(options.module)
    this.#child = spawn(process.execPath, [...execArgv(), isolatedMain, ...options.args], {
      detached: true,
      // 3 carries what the job tells, 4 what it is asked for; the end of 4 tells it that nobody is here any longer
      stdio: ["inherit", "inherit", "inherit", "pipe", "pipe"]
    })
    for (const pipe of this.#child.stdio) pipe?.on("error", () => {})
    const told = this.#child.stdio[3]
    const read = reader(decodeTold, (message) => this.#take(message))
    if (told instanceof Socket) told.setEncoding("utf8").on("data", read)
    const closed = new Promise((done) => told?.once("close", done))
    this.ended = new Promise((resolve, reject) => {
      const refuse = (message: string) => reject(new Refusal({ message }))
      this.#child.once("error", (error) => refuse(`the process of the job could not be started: ${error.message}`))
      this.#child.once("exit", (code, signal) => {
        // what it told before is still to be read
        const allRead = Promise.race([closed, new Promise((done) => setTimeout(done, readMs))])
        allRead.then(() => this.#finish(code, signal)).then(resolve, reject)
      })
    })
    options.owner.relay = (signal, count) => this.#relay(signal, count)
    // its terminal is not that of its session
    process.on("SIGWINCH", () => this.#child.kill("SIGWINCH"))
    this.#arm()
  }

  /** Kills its group, whatever it does. */
  kill(): Promise<Killed> {
    const { pid } = this.#child
    this.#killing ??= pid === undefined
      ? Promise.resolve({ gone: true, how: "it was never there", durationMs: 0 })
      : killGroup(pid, killMs)
    return this.#killing
  }

  #take(message: Told): void {
    const now = performance.now()
    this.#times.heard = now
    switch (message._tag) {
      case "Limits":
        this.#limits = { ...this.#limits, deadlineMs: message.deadlineMs ?? Infinity }
        return this.#arm()
      case "Reported":
        this.#times.reported = now
        this.#report = message.report
        return this.#arm()
      case "Alive":
        return this.#arm()
    }
    this.#ledger.take(message)
    if (message._tag === "JobSubmitted") this.#times.submitted = now
    else if (message._tag === "StopRequested") this.#times.stopping = Math.min(this.#times.stopping, now)
    else return
    this.#arm()
  }

  /** It is asked for what the signal means, and says so itself. */
  #relay(signal: Signal, count: number): void {
    if (this.#signals.push(performance.now()) === 1) {
      this.#signal = signal
      setTimeout(() => this.#sayBlocked(signal), answerMs).unref()
    }
    const asked = this.#child.stdio[4]
    if (asked instanceof Socket && asked.writable) asked.write(encode({ _tag: "Signal", signal, count }))
    this.#arm()
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#expired !== undefined || this.#hasEnded) return
    const due = nextDue(this.#times, this.#limits)
    const ms = due.at - performance.now()
    if (ms === Infinity) return
    // a timer does not wait longer than that
    if (ms >= 2 ** 31) this.#timer = setTimeout(() => this.#arm(), 2 ** 31 - 1)
    else this.#timer = setTimeout(() => this.#expire(due), Math.max(0, ms))
  }

  #expire(due: Due): void {
    this.#expired = due
    if (due.why !== "load") {
      this.#options.owner.say(`The job does not ${due.why === "silence" ? "exit" : "stop"}: its process is killed.`)
      this.#sayPending("is still")
    }
    void this.kill()
  }

  /** The job itself cannot. */
  #sayBlocked(signal: Signal): void {
    if (this.#times.stopping !== Infinity || this.#hasEnded || this.#expired !== undefined) return
    const limit = this.#limits.deadlineMs === Infinity ? "" : ` within ${this.#limits.deadlineMs / 1_000} s, or`
    this.#options.owner.say(
      `${signal}: the job does not answer, its event loop is blocked. It is killed${limit} at once by a third signal.`
    )
  }

  #sayPending(how: string): void {
    for (const { name, state } of this.#ledger.pending) this.#options.owner.say(`  service ${name} ${how} ${state}`)
  }

  /** Sees to it that nothing is left of a process that has ended, and says how it went. */
  async #finish(code: number | null, signal: NodeJS.Signals | null): Promise<Ending> {
    clearTimeout(this.#timer)
    const pid = this.#child.pid ?? 0
    const isGone = () => !isGroupAlive(pid)
    const isEmpty = this.#killing === undefined && (code === null ? isGone() : await until(isGone, afterglowMs))
    const killed = await this.kill()
    const isKilled = this.#expired !== undefined
    const { module } = this.#options
    if (this.#expired?.why === "load") {
      throw new Refusal({ message: `the module ${module} did not load within ${this.#limits.loadMs / 1_000} s` })
    }
    const how = isKilled
      ? `was killed (${killed.how}) in ${millis(killed.durationMs)}`
      : signal === null
      ? `exited with code ${code}`
      : `was ended by ${signal}`
    if (!isKilled && code !== null && (this.#report !== undefined || this.#times.submitted === Infinity)) {
      return isEmpty ? { code, report: this.#report } : this.#leaving(code, pid, killed.how)
    }
    // a signal of the system that was quicker than the first line of its program
    if (!isKilled && this.#times.submitted === Infinity && signal !== null && isPolite(signal)) {
      return { code: signalCodes[signal], report: undefined }
    }
    const wasAsked = isKilled || this.#signals.length > 2
    if (!wasAsked) {
      this.#options.owner.say(`The process of the job ${how}.`)
      this.#sayPending("was")
    }
    const gone = [killed.gone, ...await this.#endHosts(wasAsked)].every((gone) => gone)
    if (!gone) this.#options.owner.say("Something of it is left: it does not end when it is killed.")
    const report = this.#report === undefined
      ? this.#ledger.report({
        pid,
        isLost: !wasAsked,
        how,
        gone,
        killMs: isKilled ? killed.durationMs : undefined,
        ...this.#whyStopped(how)
      })
      : unclean(this.#report, "process", `pid ${pid} ${how}`)
    return { code: 3, report }
  }

  /** What a job that has stopped leaves behind does not outlive it. */
  #leaving(code: number, pid: number, how: string): Ending {
    const detail = `something of process group ${pid} was left, and was killed (${how})`
    this.#options.owner.say(`The job did not end all that it had started: ${detail}.`)
    if (this.#report === undefined) return { code, report: undefined }
    return { code: 3, report: unclean(this.#report, "child-process", detail) }
  }

  #whyStopped(how: string): { readonly trigger: Trigger; readonly reason: string } {
    if (this.#signal !== undefined) return { trigger: "signal", reason: this.#signal }
    return this.#expired?.why === "after"
      ? { trigger: "deadline", reason: `it ran for ${this.#limits.afterMs} ms` }
      : { trigger: "lost", reason: `its process ${how}` }
  }

  /** The hosts of its services end by themselves, since their owner is gone. Those that do not are killed. */
  #endHosts(now: boolean): Promise<ReadonlyArray<boolean>> {
    const limitMs = now ? 0 : this.#limits.deadlineMs
    return Promise.all(this.#ledger.hosts.map(async (group) => {
      await until(() => !isGroupAlive(group) || this.#signals.length > 1, limitMs)
      return (await killGroup(group, killMs)).gone
    }))
  }
}

const isolatedMain = fileURLToPath(
  new URL(`./isolatedMain${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)
)

const isPolite = (signal: string): signal is Signal => signal in signalCodes

const unclean = (report: StopReport, kind: string, detail: string): StopReport =>
  StopReport.trusted({ ...report, clean: false, leftovers: [...report.leftovers, { kind, detail }] })
