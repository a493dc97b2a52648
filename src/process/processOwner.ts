import { stackOf } from "../base/errorText.ts"
import { printableLines, seconds } from "../base/format.ts"
import { isInstance } from "../base/valueText.ts"
import { flush } from "./flushOutput.ts"
import { type Crash, onCrash } from "./crashes.ts"
import { type Ending, exitCode, uncleanCode } from "./exitCode.ts"
import { Leftovers } from "./leftovers.ts"
import { startTimer } from "./timers.ts"
import {
  causesOf,
  crashOf,
  initial,
  type OwnerAction,
  type OwnerEvent,
  type OwnerState,
  transition
} from "./ownerState.ts"
import type { ProcessContext, StopCause, StoppableTask } from "./processContext.ts"
import { ExitCalled } from "./selfExit.ts"
import { asksForStop, type Signal, signals } from "./signals.ts"
import { sameRequestText, SignalRequests } from "./signalRequests.ts"

/** The time that a program has to end once its tasks have stopped, and the time of a kill. */
const graceMs = 1_000

/**
 * Owns a process: its signals, its uncaught errors, its exit. It stops the tasks that run in the process, and then the
 * program. `ownerState.ts` decides what happens when; here it is done.
 */
export class ProcessOwner implements Pick<ProcessContext, "attach"> {
  #state: OwnerState = initial
  readonly #defaultDeadlineMs: number
  readonly #tasks = new Set<StoppableTask>()
  readonly #requests = new SignalRequests()
  readonly #keepAlive = setInterval(() => {}, 2 ** 30)
  /** The handles and processes that are left here, without those that were there before. */
  readonly leftovers = new Leftovers()
  #interrupt: () => void = () => {}
  #exit: (code: number) => never = (code) => process.exit(code)
  #isWritten = true
  /** Things that are said once. */
  readonly #said = new Set<string>()
  /**
   * Answers the signals instead of the tasks of this process, if another process has to stop. It is called once for each
   * request, with its number.
   */
  relay: ((signal: Signal, count: number) => void) | undefined
  /** Prints a line for people. */
  say = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`)

  /** `deadlineMs` is the longest that a stop takes if no task sets another deadline. */
  constructor(deadlineMs: number) {
    this.#defaultDeadlineMs = deadlineMs
  }

  /** Takes the process over. `interrupt` ends the program once its tasks have stopped. */
  install(interrupt: () => void): void {
    this.#interrupt = interrupt
    this.#exit = onCrash((crash) => this.#crashed(crash), {
      listeners: signals.map((signal) => [signal, () => this.#onSignal(signal)] as const),
      kill: (signal) => this.#isStopping && this.#note(`process.kill(process.pid, "${signal}") was called`)
    })
    for (const [name, stream] of outputs()) stream.on("error", (error) => this.#unwritable(name, error))
  }

  /** The parent has got a signal. `count` is the number of its requests to stop so far. */
  signalled(signal: Signal, count: number): void {
    if (this.#requests.told(count)) this.#requested(signal)
  }

  /** Output that was to be written could not be: the exit code is not 0. Says why, once. */
  unwritten(why: string): void {
    this.#isWritten = false
    this.#sayOnce(why)
  }

  /** Stops as at a signal, because the process that this one works for has ended. */
  parentLost(reason: string): void {
    this.#dispatch({ _tag: "ParentLost", reason })
  }

  readonly attach = (task: StoppableTask): void => {
    this.#tasks.add(task)
    task.stopped.onOpen(() => {
      this.#tasks.delete(task)
      this.#dispatch({ _tag: "TaskStopped", isClean: task.isClean() })
      // the program may have something to say about the end of its last task
      if (this.#tasks.size === 0 && this.#isStopping) {
        startTimer(graceMs, () => this.#interrupt(), { keepsAlive: false })
      }
    })
    for (const cause of causesOf(this.#state)) if (cause._tag !== "Relayed") task.stop(cause)
  }

  /** The first signal, if there was one that no other process answers. */
  get signal(): Signal | undefined {
    return this.#find("Signal")?.signal
  }

  /** The exit code of a crash, if there was one. */
  get crash(): number | undefined {
    return crashOf(causesOf(this.#state))
  }

  get isParentLost(): boolean {
    return this.#find("ParentLost") !== undefined
  }

  /** The program has ended with this code. Ends the process, once its output has been read. */
  programEnded(code: number): void {
    this.#dispatch({ _tag: "ProgramEnded", code })
  }

  #onSignal(signal: Signal): void {
    if (asksForStop(signal, process.listenerCount(signal) - 1) && this.#requests.add(signal)) this.#requested(signal)
  }

  #requested(signal: Signal): void {
    if (this.relay === undefined) return this.#dispatch({ _tag: "Signalled", signal })
    this.#dispatch({ _tag: "Relayed", signal })
    this.relay(signal, this.#requests.count)
  }

  #find<Tag extends "Signal" | "ParentLost">(tag: Tag) {
    return causesOf(this.#state).find((cause): cause is Extract<typeof cause, { readonly _tag: Tag }> =>
      cause._tag === tag
    )
  }

  get #isStopping(): boolean {
    return causesOf(this.#state).length > 0
  }

  get #deadlineMs(): number {
    const deadlines = [...this.#tasks].map((task) => task.deadlineMs)
    return deadlines.length === 0 ? this.#defaultDeadlineMs : Math.max(...deadlines)
  }

  #dispatch(event: OwnerEvent): void {
    const { actions, state } = transition(this.#state, event)
    this.#state = state
    for (const action of actions) this.#perform(action)
  }

  #perform(action: OwnerAction): void {
    switch (action._tag) {
      case "Stop":
        return this.#stop(action.cause)
      case "Limit": {
        const ms = (action.within === "deadline" ? this.#deadlineMs : 0) + 2 * graceMs
        startTimer(ms, () => this.#dispatch({ _tag: "TimeUp" }), { keepsAlive: false })
        return
      }
      case "Exit":
        return void this.#end(action.ending, this.#isStopping ? 5 * graceMs : 60 * graceMs)
      case "Abort":
        return this.#abort(action.why)
    }
  }

  #stop(cause: StopCause): void {
    // once all has stopped there is nothing to say of a stop
    const line = this.#state._tag === "Exiting" ? undefined : lineOf(cause, this.#deadlineMs)
    if (line !== undefined) this.say(line)
    for (const task of this.#tasks) {
      if (!(cause._tag === "Crashed" && isExit(cause) && task.isStopping())) task.stop(cause)
    }
    if (this.#tasks.size === 0) this.#interrupt()
  }

  #crashed(crash: Crash): void {
    if (isExit(crash)) return this.#exitCalled(crash)
    this.#dispatch({ _tag: "Crashed", ...crash })
  }

  /**
   * Code that calls `process.exit` gets its exit once everything has stopped. What stops already goes on as it was: a
   * library calls it in its own listener of a signal, or once it has closed.
   */
  #exitCalled(call: Crash): void {
    const { code, what } = call
    const goesOn = this.#isStopping || (this.#tasks.size > 0 && [...this.#tasks].every((task) => task.isStopping()))
    if (goesOn) {
      this.#note(what)
      if (code !== 0) process.exitCode = code
    }
    // it asks for the end of the program, even if each of its tasks stops already
    if (!this.#isStopping) this.#dispatch({ _tag: "Crashed", ...call, code: goesOn ? undefined : code })
  }

  /** Code of this process asks for an end that is under way already. */
  #note(what: string): true {
    this.#sayOnce(`${what} during the stop, which goes on to its end.`)
    return true
  }

  #sayOnce(line: string): void {
    if (this.#said.has(line)) return
    this.#said.add(line)
    this.say(line)
  }

  #unwritable(name: string, error: Error): void {
    this.#isWritten = false
    // a reader that has gone away wants no more, and nobody reads what is said on a stream that is lost
    if (name === "stderr" || ("code" in error && error.code === "EPIPE")) return
    this.unwritten(`${name} could not be written: ${error.message}`)
  }

  /** The last resort: says what has not stopped and what keeps the process alive, and exits. */
  #abort(why: string): void {
    this.say(why)
    for (const task of this.#tasks) {
      for (const { name, state } of task.pending()) this.say(`  ${name} is still ${state}`)
    }
    for (const { detail, kind } of this.leftovers.handles()) this.say(`  ${kind}: ${detail}`)
    void this.#end({ isClean: false, own: uncleanCode }, graceMs)
  }

  async #end(ending: Ending, patienceMs: number): Promise<never> {
    // what was left behind before is in the report
    for (const { detail, kind } of await this.leftovers.kill()) this.say(`  ${kind}: ${detail}`)
    const left = await Promise.all(outputs().map(([, stream]) => flush(stream, patienceMs)))
    // Node reports what could not be written a turn later
    await new Promise((resolve) => setImmediate(resolve))
    clearInterval(this.#keepAlive)
    const isWritten = this.#isWritten && left.every((bytes) => bytes === 0)
    return this.#exit(exitCode({ ...ending, user: Number(process.exitCode ?? 0), isWritten }))
  }
}

const outputs = () => [["stdout", process.stdout], ["stderr", process.stderr]] as const

/** The line for people when a stop begins. A call of `process.exit` and the loss of the parent need none. */
const lineOf = (cause: StopCause, deadlineMs: number): string | undefined => {
  switch (cause._tag) {
    case "Signal": {
      if (cause.isUrgent) return `${cause.signal}: stopping at once.`
      const within = deadlineMs === Infinity ? "" : ` within ${seconds(deadlineMs)}`
      return `${cause.signal}: stopping${within}. A second signal stops at once, without waiting; ${sameRequestText}.`
    }
    case "Crashed": {
      if (isExit(cause)) return undefined
      const { error, what } = cause
      return `${what}: ${stackOf(error)}`
    }
    case "ParentLost":
      return undefined
  }
}

/** Returns true if code of this process has called `process.exit`. */
const isExit = ({ error }: { readonly error: unknown }): boolean => isInstance(error, ExitCalled)
