import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { causeStack } from "../../base/errorText.ts"
import { attempt, valueText } from "../../base/valueText.ts"
import { reportFile } from "../../internal/report/reportFile.ts"
import { encodeSuccess } from "../../internal/run/resultFit.ts"
import type * as Job from "../../Job.ts"
import type { JobResult } from "../../manager/models.ts"
import { StopReport } from "../../StopReport.ts"
import { Refusal } from "../refusal.ts"
import { printLine, sayLine } from "./output.ts"

/**
 * Returns a function that writes the report to a file, and returns a message if it cannot. A file that cannot be
 * written is refused before anything starts.
 */
export const reportWriter = (
  path: Option.Option<string>
): Effect.Effect<(report: StopReport) => string | undefined, Refusal> => {
  if (Option.isNone(path)) return Effect.succeed(() => undefined)
  const file = reportFile("--report", path.value)
  return typeof file === "string" ? Effect.fail(new Refusal({ message: file })) : Effect.succeed(file.write)
}

/** The time that a Schema has to encode a result that is printed. */
const encodeMs = 5_000

/**
 * Prints the result of a run: its value, or why it failed. A value that its Schema does not encode is shown as code would
 * write it. Never fails.
 */
export const printResult = (job: Job.Any, exit: Exit.Exit<unknown, unknown>, report: StopReport): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (Exit.isFailure(exit)) {
      if (report.outcome === "failed") printFailure(exit.cause)
    } else if (exit.value !== undefined) {
      const encoded = yield* Effect.exit(Effect.timeout(encodeSuccess(job, exit.value), encodeMs))
      const json = Exit.isSuccess(encoded) ? attempt(() => JSON.stringify(encoded.value)) : undefined
      printLine(`Result: ${json ?? valueText(exit.value)}`)
    }
  })

/** Prints the exit of a job, encoded by its Schemas, as a line for machines. It goes to stderr, as events do. */
export const printExitLine = (exit: Schema.Json): void => sayLine(JSON.stringify({ _tag: "Result", exit }))

const printFailure = (cause: Cause.Cause<unknown>): void => sayLine(causeStack(cause))

/** Decodes the exit of a job at a manager. Its values stay JSON, because the command line does not have the Schemas of the job. */
const decodeStored = (exit: Schema.Json) =>
  Schema.decodeUnknownEffect(Schema.toCodecJson(Schema.Exit(Schema.Json, Schema.Json, Schema.Defect())))(exit)

/** Prints how a job at a manager ended: its value to stdout, after `label`, or why it failed to stderr. */
export const printExit = (
  { exit, report }: JobResult,
  { format, label = "" }: { readonly format: "pretty" | "json"; readonly label?: string }
): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (format === "json") return printLine(JSON.stringify(exit))
    const decoded = yield* Effect.orDie(decodeStored(exit))
    // a job that declares no result has `null`, which is no news
    if (Exit.isSuccess(decoded) && label !== "" && decoded.value === null) return
    if (Exit.isSuccess(decoded)) return printLine(`${label}${JSON.stringify(decoded.value)}`)
    if (report.outcome === "failed") printFailure(decoded.cause)
    else sayLine(`autostop: job ${report.jobId} was cancelled, and has no result`)
  })

export const printReport = (format: "pretty" | "json", report: StopReport): void =>
  printLine(format === "json" ? JSON.stringify(report) : StopReport.render(report))
