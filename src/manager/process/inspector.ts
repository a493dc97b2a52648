import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { ChildProcess, describeEnd } from "../../process/childProcess.ts"
import { entryPoint } from "../../process/entryPoints.ts"
import { tailOf } from "../../process/outputLines.ts"
import { startTimer } from "../../process/timers.ts"
import type { Submission } from "../models.ts"
import { type Answer, decodeAnswer, type Question } from "./protocol.ts"
import { heapArgs, watchMemory } from "./resourceLimits.ts"

/** The limit for a process to begin to load the module, also on a busy machine. */
const startMs = 30_000
/** The limit for one question by default. */
const defaultCheckMs = 20_000
/** The time after which an inspector without questions ends, because its module may have changed by the next one. */
const idleMs = 30_000
/** The longest answer in bytes. It is the name of a job, why there is none, or the JSON Schema of a payload. */
const longestAnswer = 1_024 * 1_024
/** The time for reading the last output of a process that has ended. */
const readMs = 500
/** The interval of the memory checks: a module that loads grows fast. Without `/proc` each of them is a process. */
const memoryMs = process.platform === "linux" ? 50 : 500

const inspectorMain = entryPoint(import.meta.url, "./inspectorMain")

/** The name of a module's only or default job, or why there is none. */
export type LoadedModule = Extract<Answer, { readonly _tag: "Loaded" }>

/** An inspector's answer. `refusal` says why the submission cannot be run, or why the question could not be asked. */
export interface Inspection {
  readonly refusal?: string
  /** The JSON Schema of the payload, if that was asked for and there is one. */
  readonly payload?: Schema.Json
}

type Reply = (inspection: Inspection) => void

type State =
  /** The process starts, or loads the module. */
  | { readonly _tag: "Loading" }
  /** The process answers questions. `replies` are those without an answer yet, by their numbers. */
  | { readonly _tag: "Loaded"; readonly replies: Map<number, Reply> }
  /** The process has ended, and all submissions are refused with this message. */
  | { readonly _tag: "Ended"; readonly refusal: string }

export interface InspectorOptions {
  /** The URL of the module. */
  readonly module: string
  readonly nodeArgs: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  /** The limit for loading the module. */
  readonly loadMs: number
  /** The limit for one question, 20 s by default. */
  readonly checkMs?: number
  /** The memory that its process may use, in bytes; no limit by default. */
  readonly memory?: number | undefined
  /** Called once, when the inspector answers no more questions. */
  readonly onEnd: () => void
}

/**
 * A process that loads a module and checks submissions of its jobs, so that no code of a user runs in the manager's own
 * process. A process that hangs or crashes is killed, and its submissions are refused.
 */
export class Inspector {
  readonly loaded: Promise<LoadedModule>
  /** Opens when its process is gone. */
  readonly gone: OneShotLatch
  readonly #options: InspectorOptions
  readonly #child: ChildProcess
  #state: State = { _tag: "Loading" }
  #resolveLoaded: (loaded: LoadedModule) => void = () => {}
  #questions = 0
  #cancelLimit = (): void => {}

  constructor(options: InspectorOptions) {
    const { env, memory, module, nodeArgs } = options
    this.#options = options
    this.loaded = new Promise((resolve) => void (this.#resolveLoaded = resolve))
    const child = new ChildProcess({
      entry: inspectorMain,
      args: [module],
      nodeArgs: [...heapArgs({ memory }), ...nodeArgs],
      env,
      output: "stderr"
    })
    this.#child = child
    this.gone = child.ended
    // the manager may end before the child; while there is a question, the timer keeps it
    child.unref()
    const tail = child.stderr === undefined ? () => "" : tailOf(child.stderr)
    child.receive({
      longest: longestAnswer,
      onLine: (line) => Option.map(decodeAnswer(line), (answer) => this.#receive(answer)),
      onTooLong: () => this.#fail(`it answered with more than ${longestAnswer} bytes`)
    })
    child.ended.onOpen(() => {
      const how = `its process ${child.end === undefined ? "has ended" : describeEnd(child.end)}`
      void child.allRead(readMs).then(() => this.#fail(tail() === "" ? how : `${how}: ${tail()}`))
    })
    if (memory !== undefined) this.#limitMemory(memory)
    this.#limit(startMs, `its process did not start within ${startMs / 1_000} s`)
  }

  /** Resolves to the reason why a submission cannot be run, or to `undefined` if it can. */
  async check(submission: Submission): Promise<string | undefined> {
    const { refusal } = await this.#ask((number) => ({ _tag: "Check", number, submission }))
    return refusal
  }

  /** Resolves to the JSON Schema of the payload of the module's job. */
  describe(): Promise<Inspection> {
    return this.#ask((number) => ({ _tag: "Describe", number }))
  }

  async #ask(questionOf: (number: number) => Question): Promise<Inspection> {
    await this.loaded
    const state = this.#state
    if (state._tag !== "Loaded") {
      return { refusal: state._tag === "Ended" ? state.refusal : "its module is still being loaded" }
    }
    const { replies } = state
    return new Promise((resolve) => {
      const question = questionOf(++this.#questions)
      // the first question starts the limit, so that later ones do not extend it
      if (replies.size === 0) this.#limitCheck()
      replies.set(question.number, resolve)
      this.#child.send(question)
    })
  }

  /** Ends the process, which has nothing to check. */
  end(): void {
    this.#end("it was ended")
  }

  #receive(answer: Answer): void {
    const { loadMs } = this.#options
    switch (answer._tag) {
      case "NotLoaded":
        return this.#end(answer.message)
      case "Loading":
        return this.#limit(loadMs, `it did not load within ${loadMs / 1_000} s`)
      case "Loaded":
        if (this.#state._tag !== "Loading") return
        this.#state = { _tag: "Loaded", replies: new Map() }
        this.#resolveLoaded(answer)
        return this.#limitIdle()
      case "Checked":
      case "Described": {
        if (this.#state._tag !== "Loaded") return
        const { replies } = this.#state
        replies.get(answer.number)?.(answer)
        replies.delete(answer.number)
        return replies.size > 0 ? this.#limitCheck() : this.#limitIdle()
      }
    }
  }

  #limitCheck(): void {
    const { checkMs = defaultCheckMs } = this.#options
    this.#limit(checkMs, `a question was not answered within ${checkMs / 1_000} s`)
  }

  #limitIdle(): void {
    this.#limit(idleMs, "it has no questions", false)
  }

  #limitMemory(memory: number): void {
    const { pid } = this.#child
    if (pid === undefined) return
    const pids = [pid]
    const endWatch = watchMemory({
      memory,
      pids: () => pids,
      intervalMs: memoryMs,
      onExceeded: (_, reason) => this.#fail(reason)
    })
    this.gone.onOpen(endWatch)
  }

  /** Replaces the limit. It keeps a manager that waits for an answer from ending, unless `keepsAlive` is false. */
  #limit(ms: number, why: string, keepsAlive = true): void {
    this.#cancelLimit()
    this.#cancelLimit = startTimer(ms, () => {
      // the failure comes a turn later, because the answer may be there and unread if this process was busy
      this.#cancelLimit = startTimer(0, () => this.#fail(why), { keepsAlive })
    }, { keepsAlive })
  }

  #fail(why: string): void {
    const step = this.#state._tag === "Loaded" ? "checked" : "loaded"
    this.#end(`the module ${pathOf(this.#options.module)} could not be ${step}: ${why}`)
  }

  /** Ends the process, and refuses all submissions from now on. */
  #end(refusal: string): void {
    this.#cancelLimit()
    const before = this.#state
    if (before._tag === "Ended") return
    this.#state = { _tag: "Ended", refusal }
    this.#child.killAtOnce()
    this.#options.onEnd()
    this.#resolveLoaded({ _tag: "Loaded", refusal })
    if (before._tag === "Loaded") { for (const reply of before.replies.values()) reply({ refusal }) }
  }
}
