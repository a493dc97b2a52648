import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Environment, type JobEvent, type JobRun, StopReport, type SubmitOptions } from "../../src/index.ts"
import { eventsOf, until } from "../support/hosts.ts"
import { type acts, journalName } from "./jobs/act.ts"
import type plain from "./jobs/plain.ts"

/** A job of the stop cases: they differ in their services alone. */
export type CaseJob = typeof plain
type Act = typeof acts[number]

/** What a job with its journal is to a case. */
export interface CaseRun {
  readonly run: JobRun<CaseJob["success"]["Type"], CaseJob["error"]["Type"]>
  readonly journal: JournalFile
}

/** When every payload of a case says it is. */
export const moment = new Date(1_000)

/** What a job wrote, wherever it ran. */
class JournalFile {
  readonly file: string

  constructor(file: string) {
    this.file = file
  }

  get lines(): ReadonlyArray<string> {
    return existsSync(this.file) ? readFileSync(this.file, "utf8").trim().split("\n") : []
  }

  has(line: string): boolean {
    return this.lines.includes(line)
  }

  /** By how many milliseconds the machine was late while the job ran. */
  get lateMs(): number {
    return Number(readFileSync(`${this.file}.late`, "utf8"))
  }

  /** Waits until it has been written. */
  wrote(line: string): Effect.Effect<void> {
    return until(`"${line}" in ${this.file}`, () => this.has(line))
  }

  /** How many elements have arrived. */
  get rows(): number {
    return this.lines.filter((line) => line.startsWith("row ")).length
  }
}

/** One case at work: what it submits, and what it saw, for a comparison with the same case elsewhere. */
export class Case {
  readonly seen: Array<unknown> = []
  readonly #folder = mkdtempSync(join(tmpdir(), "autostop-case-"))
  #journals = 0

  payload(act: Act) {
    const journal = new JournalFile(join(this.#folder, String(++this.#journals)))
    return { payload: { act, journal: journal.file, at: moment }, journal }
  }

  submit(job: CaseJob, act: Act, options?: SubmitOptions) {
    const { journal, payload } = this.payload(act)
    return Effect.map(Environment.submit(job, payload, options), (run): CaseRun => ({ run, journal }))
  }

  /**
   * Waits for the end of a job, and notes how it ended; without what it has counted, where that is a matter of time.
   * Whatever the report says was released has written so by then.
   */
  end({ journal, run }: CaseRun, { counts = true } = {}) {
    return Effect.gen({ self: this }, function*() {
      const { exit, report: whole } = yield* run.result
      const report = withoutJournal(whole)
      const { lines } = journal
      assert.strictEqual(report.jobId, run.id)
      if (lines.length > 0) {
        for (const { name, outcome } of report.services) {
          // what a job adds to those of `act.ts` keeps no journal
          if (outcome === "released" && lines.includes(`opened ${name}`)) assert.include(lines, `closed ${name}`)
          if (outcome === "abandoned") assert.notInclude(lines, `closed ${name}`)
        }
      }
      const events = yield* eventsOf(run)
      this.seen.push({ exit: exitSeen(exit), report: reportSeen(whole, counts), events: eventsSeen(events) })
      return { exit, report, events }
    })
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** An error without its stack, which is that of another process elsewhere. */
const errorSeen = (error: unknown): unknown =>
  error instanceof Error
    ? { ...error, name: error.name, message: error.message, cause: errorSeen(error.cause) }
    : error

const exitSeen = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isSuccess(exit)
    ? exit.value
    : exit.cause.reasons.map((reason) =>
      Cause.isFailReason(reason)
        ? { fail: errorSeen(reason.error) }
        : Cause.isDieReason(reason)
        ? { die: errorSeen(reason.defect) }
        : "interrupt"
    )

/** The report on the services that a case is about. All of them need the journal, which is released last. */
export const withoutJournal = (report: StopReport): StopReport =>
  new StopReport({
    ...report,
    services: report.services.flatMap((service) => {
      const dependsOn = service.dependsOn.filter((name) => name !== journalName)
      return service.name === journalName ? [] : [{ ...service, dependsOn }]
    })
  })

const reportSeen = (report: StopReport, counts: boolean): unknown => ({
  ...report,
  jobId: "",
  environment: "",
  startedAt: "",
  stoppedAt: "",
  // those of a process are only told of where it is the job's own
  leftovers: report.leftovers.filter(({ kind }) => kind !== "handle"),
  phases: report.phases.map((phase) => ({ ...phase, durationMs: 0 })),
  services: report.services.map((service) => ({ ...service, startMs: 0, releaseMs: 0 })),
  stages: report.stages.map(({ count, dropped, kind, name, upstream }) => ({
    name,
    kind,
    count: counts ? count : 0,
    // only the process of a job measures the rest
    dropped,
    upstream
  }))
})

/** What is released at once ends in any order. */
const eventsSeen = (events: ReadonlyArray<JobEvent>): ReadonlyArray<string> =>
  events.map((event) => JSON.stringify({ ...event, at: "", jobId: "" }, (key, value) => key.endsWith("Ms") ? 0 : value))
    .toSorted()

export const outcomesOf = (report: StopReport): Record<string, string> =>
  Object.fromEntries(report.services.map(({ name, outcome }) => [name, outcome]))

export const phasesOf = (report: StopReport): ReadonlyArray<string> => report.phases.map(({ phase }) => phase)

/** The error that a job failed with, or died of. */
export const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")
