/** The process of a job, on its own side: what it tells its supervisor, and what becomes of it without one. */
import type * as Option from "effect/Option"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { entries } from "../process/entryPoints.ts"
import { signal } from "../process/processGroup.ts"
import type { Run, RunResult } from "../internal/run/run.ts"
import { encode, reader } from "../process/jsonLines.ts"
import type { Reported, Told } from "./protocol.ts"

/** What the watchdog adds to the deadline: time to exit. */
const graceMs = 500
/** How often the supervisor is told, after the report, that the end is still at work: output may have a slow reader. */
const aliveMs = 500
/** How often the counters of the pipelines are told while they change. */
const stagesMs = 250

/** Tells the supervisor at once, and for certain: there may be no next turn of the event loop. */
export const tell = (message: Told): void => write(message)

/** The same, of any message. */
export const write = (message: object): void => {
  try {
    writeFileSync(3, encode(message))
  } catch {
    // the supervisor is gone: the watchdog tells
  }
}

/** The last that a job has to say; its process may take a while to end. */
export const tellLast = (reported: Reported): void => {
  tell(reported)
  setInterval(() => tell({ _tag: "Alive" }), aliveMs).unref()
}

/**
 * The supervisor of this process. It is listened to by a thread, so that its end is noticed whatever this process does:
 * what is left of its group when the job has had its time is killed then.
 */
export class Supervisor<Asked> {
  readonly #watchdog = new Worker(entries.watchdog, { execArgv: [] })
  /** What was asked for before there was anybody to ask. */
  readonly #early: Array<Asked | null> = []
  #receive = (asked: Asked | null): void => void this.#early.push(asked)
  /** Resolves when the end of this process is seen to. Nothing of a job may begin before. */
  readonly ready = once(this.#watchdog, "online")

  constructor(decode: (line: string) => Option.Option<Asked>) {
    const read = reader(decode, (asked) => this.#receive(asked))
    this.#watchdog.on("message", (text: string | null) => {
      if (text !== null) return read(text)
      // nobody else is there to end what the job has left behind
      process.once("exit", () => signal(-process.pid, "SIGKILL"))
      this.#receive(null)
    })
  }

  /** Takes what the supervisor asks for, and `null` once it is gone. From then on the thread keeps nothing alive. */
  listen(receive: (asked: Asked | null) => void): void {
    this.#watchdog.unref()
    this.#receive = receive
    for (const asked of this.#early.splice(0)) receive(asked)
  }

  /** Tells all of a run. `onStopped` tells how it ended, in the very turn that it has. */
  follow(run: Run, onStopped: (result: RunResult) => void): void {
    const { deadline } = run.options.limits
    this.#watchdog.postMessage(deadline + graceMs, [])
    tell({ _tag: "Limits", deadlineMs: deadline })
    run.events.listen(tell)
    const tellStages = stagesOf(run)
    const timer = setInterval(tellStages, stagesMs).unref()
    run.stopped.onOpen(() => {
      clearInterval(timer)
      tellStages()
      if (run.result !== undefined) onStopped(run.result)
    })
  }
}

/** Tells the counters of a run where they have changed. */
const stagesOf = (run: Run): () => void => {
  let known = "[]"
  return () => {
    const stages = run.stages.report()
    const text = JSON.stringify(stages)
    if (text === known) return
    known = text
    tell({ _tag: "Stages", stages })
  }
}
