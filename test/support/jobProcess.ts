import { assert } from "@effect/vitest"
import { Cause, Effect, type Exit } from "effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isGroupAlive } from "../../src/process/processGroup.ts"
import type { Job, JobEvent, StageReport } from "../../src/index.ts"
import { decodeExit } from "../../src/manager/exitCodec.ts"
import type { JobProcess } from "../../src/manager/JobProcess.ts"
import { JobResult, type Submission } from "../../src/manager/models.ts"
import { startJobProcess } from "../../src/manager/process/startJobProcess.ts"
import { Work } from "../manager/fixtures/work.ts"

export const urlOf = (name: string) => new URL(`../manager/fixtures/${name}.ts`, import.meta.url).href
export const folder = mkdtempSync(join(tmpdir(), "autostop-manager-"))

export type Payload = Readonly<Record<string, Schema.Json>>

/** A job in a process, and all that was told of it. */
export class Ran {
  readonly events: Array<JobEvent> = []
  readonly stages: Array<ReadonlyArray<StageReport>> = []
  readonly output: Array<readonly [stream: string, text: string]> = []
  readonly id = crypto.randomUUID()
  readonly resultFile = join(folder, `${this.id}.json`)
  readonly process: JobProcess
  isOver = false
  #news: () => void = () => {}

  constructor(
    submission: Omit<Submission, "job"> & { readonly job?: string },
    env: Record<string, string> = {},
    module = urlOf("work")
  ) {
    const tell = <A>(to: Array<A>) => (what: A) => {
      assert.isFalse(this.isOver, "told after its end")
      to.push(what)
      this.#news()
    }
    const onOutput = tell(this.output)
    this.process = startJobProcess({
      id: this.id,
      submission: { job: "work", ...submission },
      code: { module },
      resultFile: this.resultFile,
      env,
      onEvent: tell(this.events),
      onStages: tell(this.stages),
      onOutput: (stream, lines) =>
        onOutput([stream, lines.map(({ continued, text }) => continued ? text : `${text}\n`).join("")])
    })
  }

  text(stream = "stdout"): string {
    return this.output.filter(([from]) => from === stream).map(([, text]) => text).join("")
  }

  async said(text: string): Promise<this> {
    while (!this.text().includes(text)) await new Promise<void>((resolve) => void (this.#news = resolve))
    return this
  }

  async ended(): Promise<JobResult> {
    const result = await Effect.runPromise(this.process.ended)
    this.isOver = true
    assert.isFalse(isGroupAlive(this.process.pid ?? 0))
    return result
  }

  /** The processes that it said it is made of. */
  get pids(): ReadonlyArray<number> {
    return [...this.text().matchAll(/^(?:job|child|grandchild) (\d+)$/gm)].map(([, pid]) => Number(pid))
  }
}

export const run = (
  payload: Payload,
  rest: Omit<Submission, "job" | "payload"> = {},
  env: Record<string, string> = {}
) => new Ran({ payload, ...rest }, env)

export const decoded = <P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
  { exit }: JobResult,
  job: Job.Contract<string, P, S, E>
): Exit.Exit<unknown, unknown> => Effect.runSync(decodeExit(job, JSON.parse(JSON.stringify(exit))))
export const exitOf = (result: JobResult) => decoded(result, Work)

/** What it failed with, or died of. */
export const errorOf = (result: JobResult): unknown => {
  const exit = exitOf(result)
  return exit._tag === "Failure" ? Cause.squash(exit.cause) : assert.fail("it succeeded")
}
export const messageOf = (result: JobResult): string => String(errorOf(result))

export const outcomes = ({ report }: JobResult) =>
  report.services.map(({ name, outcome }) => `${name} ${outcome}`).toSorted()
export const released = ["cache released", "db released"]
export const killed = ["cache killed", "db killed"]

/** Whether a process still runs: one that nobody has waited for does not. */
export const runs = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))
  } catch {
    return false
  }
}

export const stored = (file: string): JobResult =>
  Schema.decodeUnknownSync(Schema.fromJsonString(JobResult))(readFileSync(file, "utf8"))

/** How long something took. */
export const timed = async <A>(wait: () => Promise<A>): Promise<readonly [A, number]> => {
  const since = performance.now()
  return [await wait(), performance.now() - since]
}

/** The grace of the supervisor, the kill, and what a busy machine needs to tell. */
export const slackMs = 2_000
export const deadlineMs = 500
export const short = { stopPolicy: { deadline: deadlineMs } }

export const exitCause = (result: JobResult): Cause.Cause<unknown> => {
  const exit = exitOf(result)
  return exit._tag === "Failure" ? exit.cause : assert.fail("it succeeded")
}
