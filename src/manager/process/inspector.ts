import { ChildProcess, describeEnd } from "../../process/childProcess.ts"
import { tailOf } from "../../process/outputLines.ts"
import { entryPoint } from "../../process/entryPoints.ts"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { longestMs } from "../../base/timers.ts"
import type { Submission } from "../models.ts"
import { type Answer, decodeAnswer, type Question } from "./protocol.ts"

/** What a process may take before it begins to load the module, also on a busy machine. */
const bootMs = 30_000
/** How long the check of one submission may take, unless it is told otherwise. */
const longestCheckMs = 20_000
/** An inspector that nobody has asked for that long ends: its module may be another one by then. */
const idleMs = 30_000
/** How long what an inspector has sent before its end may still be read. */
const readMs = 500

const inspectorMain = entryPoint(import.meta.url, "./inspectorMain")

/** What a module says of itself: the name of its only or default job, or why there is none. */
export type Loaded = Extract<Answer, { readonly _tag: "Loaded" }>

/** What came of a question; `undefined` is that nothing speaks against it. */
type Reply = (refusal: string | undefined) => void

/**
 * A process that has loaded a module and answers questions about it: no code of a user's runs in the manager's own
 * process, and what hangs or crashes there is killed, and is a refusal.
 */
export class Inspector {
  readonly loaded: Promise<Loaded>
  /** Why it answers no longer. */
  refusal: string | undefined
  readonly #module: string
  readonly #loadMs: number
  readonly #checkMs: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Reply>()
  readonly #onEnd: () => void
  #conclude: (loaded: Loaded) => void = () => {}
  #isLoaded = false
  #asked = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: {
    readonly module: string
    readonly nodeArgs: ReadonlyArray<string>
    readonly env: NodeJS.ProcessEnv
    readonly loadMs: number
    readonly checkMs?: number
    readonly onEnd: () => void
  }) {
    const { checkMs = longestCheckMs, env, loadMs, module, nodeArgs, onEnd } = options
    this.#module = module
    this.#loadMs = loadMs
    this.#checkMs = checkMs
    this.#onEnd = onEnd
    this.loaded = new Promise((resolve) => void (this.#conclude = resolve))
    const child = new ChildProcess({ entry: inspectorMain, args: [module], nodeArgs, env, output: "stderr" })
    this.#child = child
    // it keeps nobody from ending; the timer does, while something is asked
    child.unref()
    const tail = child.stderr === undefined ? () => "" : tailOf(child.stderr)
    child.receive(decodeAnswer, (answer) => this.#take(answer))
    child.ended.onOpen(() => {
      const how = `its process ${child.end === undefined ? "has ended" : describeEnd(child.end)}`
      void child.allRead(readMs).then(() => this.#end(tail() === "" ? how : `${how}: ${tail()}`))
    })
    this.#limit(bootMs, "its process does not begin")
  }

  /** Gives why it is refused, if it is. */
  async check(submission: Submission): Promise<string | undefined> {
    await this.loaded
    if (this.refusal !== undefined) return this.refusal
    return new Promise((resolve) => {
      const question: Question = { number: ++this.#asked, submission }
      // those that come later do not give it more time
      if (this.#waiting.size === 0) this.#limitCheck()
      this.#waiting.set(question.number, resolve)
      this.#child.send(question)
    })
  }

  #take(answer: Answer): void {
    if (answer._tag === "NotLoaded") return this.#refuse(answer.message)
    if (answer._tag === "Loading") return this.#limit(this.#loadMs, `it did not load within ${this.#loadMs / 1_000} s`)
    if (answer._tag === "Loaded") {
      this.#isLoaded = true
      this.#conclude(answer)
    } else {
      this.#waiting.get(answer.number)?.(answer.refusal)
      this.#waiting.delete(answer.number)
    }
    if (this.#waiting.size > 0) return this.#limitCheck()
    this.#limit(idleMs, "nobody asked")
    this.#timer?.unref()
  }

  #limitCheck(): void {
    this.#limit(this.#checkMs, `a submission could not be checked within ${this.#checkMs / 1_000} s`)
  }

  #limit(ms: number, why: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      // where this process itself had no time, the answer is there and has to be read first
      this.#timer = setTimeout(() => this.#end(why))
    }, Math.min(ms, longestMs))
  }

  #end(why: string): void {
    this.#refuse(`the module ${pathOf(this.#module)} could not be ${this.#isLoaded ? "asked" : "loaded"}: ${why}`)
  }

  /** Answers whoever waits, and nothing any longer. */
  #refuse(refusal: string): void {
    clearTimeout(this.#timer)
    if (this.refusal !== undefined) return
    this.#child.killAtOnce()
    this.refusal = refusal
    this.#onEnd()
    this.#conclude({ _tag: "Loaded", refusal: this.refusal })
    for (const reply of this.#waiting.values()) reply(this.refusal)
    this.#waiting.clear()
  }
}
