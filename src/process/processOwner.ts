import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Leftover } from "../StopReport.ts"
import { flush } from "./flushOutput.ts"
import { newChildren, since, type Snapshot, snapshot, watchWorkers } from "./activeHandles.ts"
import { signal as signalTo, until } from "./processGroup.ts"
import type { Run, StopRequest } from "../internal/run/run.ts"
import { type Signal, signals } from "./signals.ts"
import { longestMs } from "../base/timers.ts"

/** How long a program may take for its own last words once its jobs have stopped, and how long a kill may take. */
const graceMs = 1_000
/** How long it may take until the system tells that what was killed has ended. */
const goneMs = 200

/**
 * Owns a process: its signals, its uncaught errors, its exit. The first signal stops the jobs, and then the program;
 * the second one stops without waiting; a third one exits.
 */
export class Owner {
  readonly #before: Snapshot
  readonly #defaultDeadlineMs: number
  readonly #runs = new Set<Run>()
  readonly #exit = process.exit.bind(process)
  readonly #keepAlive = setInterval(() => {}, 2 ** 30)
  #interrupt: () => void = () => {}
  #uninstall: () => void = () => {}
  #signals = 0
  #isSignalled = false
  #lost: StopRequest | undefined
  signal: Signal | undefined
  /** Takes the signals, where what is to be stopped is another process. */
  relay: ((signal: Signal, count: number) => void) | undefined
  /** Is told of the first run: those that follow are jobs within it. */
  onFirstRun: (run: Run) => void = () => {}
  /** Says something to people, a line at a time. */
  say = (line: string): void => void process.stderr.write(`${line}\n`)
  /** Whether the program crashed, or asked for an exit with this code. */
  code: number | undefined
  unclean = false

  /** `deadlineMs` is the longest that a stop may take where no job says otherwise. */
  constructor(deadlineMs: number) {
    this.#defaultDeadlineMs = deadlineMs
    this.#before = snapshot()
    watchWorkers()
  }

  /** Takes the process over. `interrupt` ends the program once its jobs have stopped. */
  install(interrupt: () => void): void {
    this.#interrupt = interrupt
    let signalled = 0
    const onSignal = (signal: Signal) => this.signalled(signal, ++signalled)
    const onException = (error: unknown) => this.#crash("an uncaught exception", error)
    const onRejection = (error: unknown) => this.#crash("an unhandled rejection", error)
    for (const signal of signals) process.on(signal, onSignal)
    process.on("uncaughtException", onException)
    process.on("unhandledRejection", onRejection)
    process.exit = (code) => this.#exitAsked(code)
    this.#uninstall = () => {
      for (const signal of signals) process.off(signal, onSignal)
      process.off("uncaughtException", onException)
      process.off("unhandledRejection", onRejection)
      process.exit = this.#exit
    }
  }

  /** A signal, and the how manieth it is: one that comes to this process and to its supervisor counts once. */
  signalled(signal: Signal, count: number): void {
    this.#isSignalled = true
    if (this.relay !== undefined) this.relay(signal, count)
    else if (count > this.#signals) this.#onSignal(signal)
  }

  /** Stops as at a signal, since whoever this process works for is gone: who, the reason says. */
  lose(reason: string): void {
    const first = !this.#isStopping
    this.#lost = { trigger: "lost", mode: "drain", reason }
    for (const run of this.#runs) run.stop(this.#lost)
    this.#interruptOnceStopped()
    if (first) this.#exitAfter(this.#deadlineMs + 2 * graceMs)
  }

  readonly shutdown = {
    attach: (run: Run): () => void => {
      this.#runs.add(run)
      const { onFirstRun } = this
      this.onFirstRun = () => {}
      onFirstRun(run)
      run.stopped.onOpen(() => {
        if (run.result?.report.clean === false) this.unclean = true
      })
      if (this.signal !== undefined) this.#stop(run, this.signal)
      if (this.#lost !== undefined) run.stop(this.#lost)
      return () => {
        this.#runs.delete(run)
        if (this.#runs.size === 0 && this.#isStopping) this.#interruptSoon()
      }
    }
  }

  /** What was not there before and does not go away within a few turns. */
  readonly leftovers: Effect.Effect<ReadonlyArray<Leftover>> = Effect.promise(async () => {
    // Node tells of some of it a turn later
    await new Promise((resolve) => setImmediate(resolve))
    let left = since(this.#before)
    for (let turn = 0; left.length > 0 && turn < 10; turn++) {
      await new Promise((resolve) => setTimeout(resolve, turn))
      left = since(this.#before)
    }
    return left
  })

  /** Whether whoever this process works for is gone. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }

  get #deadlineMs(): number {
    const deadlines = [...this.#runs].map((run) => run.options.limits.deadline)
    return deadlines.length === 0 ? this.#defaultDeadlineMs : Math.max(...deadlines)
  }

  get #isStopping(): boolean {
    return this.#isSignalled || this.isLost || this.code !== undefined
  }

  #onSignal(signal: Signal): void {
    this.#signals++
    this.signal ??= signal
    const deadlineMs = this.#deadlineMs
    if (this.#signals === 1) {
      const within = deadlineMs === Infinity ? "" : ` within ${deadlineMs / 1_000} s`
      this.say(`${signal}: stopping${within}. A second signal stops at once, without waiting.`)
      for (const run of this.#runs) this.#stop(run, signal)
      this.#interruptOnceStopped()
      this.#exitAfter(deadlineMs + 2 * graceMs)
      return
    }
    if (this.#signals === 2) {
      this.say(`${signal}: stopping at once.`)
      for (const run of this.#runs) this.#stop(run, signal)
      this.#interruptOnceStopped()
      this.#exitAfter(2 * graceMs)
      return
    }
    this.#abort(`${signal}: exiting.`)
  }

  #stop(run: Run, signal: Signal): void {
    run.stop({ trigger: "signal", mode: this.#signals > 1 ? "kill" : "drain", reason: signal })
  }

  #crash(what: string, error: unknown): void {
    if (error instanceof ExitCalled) return
    this.say(`${what}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
    this.#fail(1, what, error)
  }

  /** Code that calls `process.exit` gets its exit, after everything was stopped. */
  #exitAsked(code: number | string | null | undefined): never {
    const exitCode = Number(code ?? process.exitCode ?? 0)
    const call = new ExitCalled(`process.exit(${exitCode}) was called`)
    if (this.code === undefined) this.#fail(exitCode, call.message, call)
    throw call
  }

  #fail(code: number, what: string, error: unknown): void {
    const first = !this.#isStopping
    this.code ??= code
    for (const run of this.#runs) run.fail(Cause.die(error), what)
    this.#interruptOnceStopped()
    if (first) this.#exitAfter(this.#deadlineMs + 2 * graceMs)
  }

  #interruptOnceStopped(): void {
    if (this.#runs.size === 0) this.#interrupt()
  }

  #interruptSoon(): void {
    setTimeout(() => this.#interrupt(), graceMs).unref()
  }

  #exitAfter(ms: number): void {
    if (ms <= longestMs) setTimeout(() => this.#abort("The time is up."), ms).unref()
  }

  /** The last resort: says who is still being waited for and what keeps the process alive, and exits. */
  #abort(why: string): void {
    this.say(why)
    for (const run of this.#runs) {
      for (const { name, state } of run.registry.pending()) this.say(`  service ${name} is still ${state}`)
    }
    for (const { detail, kind } of since(this.#before)) this.say(`  ${kind}: ${detail}`)
    this.unclean = true
    void this.end(3, graceMs)
  }

  /** What was started in this process's own group does not outlive it. */
  async #killChildren(): Promise<void> {
    const pids = newChildren(this.#before).flatMap((child) => child.detached ? [] : [child.pid])
    for (const pid of pids) signalTo(pid, "SIGKILL")
    await until(() => !pids.some((pid) => signalTo(pid, 0)), goneMs)
  }

  /** Ends the process once all of its output has been read; children that were left behind end with it. */
  async end(code: number, patienceMs = this.#isStopping ? 5 * graceMs : 60 * graceMs): Promise<never> {
    await this.#killChildren()
    await Promise.all([flush(process.stdout, patienceMs), flush(process.stderr, patienceMs)])
    clearInterval(this.#keepAlive)
    this.#uninstall()
    return this.#exit(code)
  }
}

/** Thrown where `process.exit` was called, which never returns. */
class ExitCalled extends Error {}
