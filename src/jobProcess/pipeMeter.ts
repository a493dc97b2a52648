import { burst, inMebibytes, type PipeLimits, reserve } from "./pipeLimits.ts"
import type { JobMessage } from "./protocol.ts"

/** The consequence of a message, besides its content. */
export type Verdict =
  /** The parent reads no more for so many milliseconds; usually none. */
  | { readonly _tag: "Pass"; readonly pauseMs: number }
  /** The job has to stop. The message counts. */
  | { readonly _tag: "Stop"; readonly reason: string }
  /** The process has to be killed, and its messages count no longer. */
  | { readonly _tag: "Kill"; readonly reason: string }

/** The messages that are no events: nobody stores them. */
const unstored: ReadonlySet<string> = new Set<JobMessage["_tag"]>([
  "Stages",
  "Alive",
  "Idle",
  "Spans",
  "Calls",
  "Usage"
])

const pass: Verdict = { _tag: "Pass", pauseMs: 0 }

/** Measures what the process of a job sends. Times are milliseconds of a clock that only moves forward. */
export class PipeMeter {
  readonly #limits: PipeLimits
  /** The bytes of all events. */
  #events = 0
  /** The bytes that were sent and that the time since has not made up for. */
  #debt = 0
  #debtAt: number

  constructor(limits: PipeLimits, now: number) {
    this.#limits = limits
    this.#debtAt = now
  }

  /** The reason of the kill of a process that sends a line which is too long. */
  get tooLong(): string {
    return `it sent a message of more than ${inMebibytes(this.#limits.message)}, which is the limit`
  }

  /** Measures a line; `message` is `undefined` if it has none. */
  take(message: JobMessage | undefined, bytes: number, now: number): Verdict {
    // its length has a limit of its own, and it comes once
    if (message?._tag === "Reported") return pass
    const { event, events, perSecond } = this.#limits
    if (bytes > event) {
      return { _tag: "Kill", reason: `it sent an event of more than ${inMebibytes(event)}, which is the limit` }
    }
    const isStored = message !== undefined && !unstored.has(message._tag)
    const before = this.#events
    if (isStored) this.#events += bytes
    if (this.#events > events) {
      const reason = `it emitted more than ${inMebibytes(events)} of events, which is its limit`
      if (before <= events) return { _tag: "Stop", reason }
      if (this.#events > events + reserve) return { _tag: "Kill", reason }
    }
    this.#debt = Math.max(0, this.#debt - (now - this.#debtAt) * perSecond / 1_000) + bytes
    this.#debtAt = now
    return this.#debt <= burst ? pass : { _tag: "Pass", pauseMs: 1_000 * (this.#debt - burst) / perSecond }
  }
}
