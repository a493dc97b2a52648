import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { reportFile } from "../../internal/report/reportFile.ts"
import type * as Job from "../../Job.ts"
import { StopReport } from "../../StopReport.ts"
import { Refusal } from "../refusal.ts"

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

/** Prints the result of a run: its value, or why it failed. */
export const printResult = (job: Job.Any, exit: Exit.Exit<unknown, unknown>, report: StopReport) =>
  Effect.gen(function*() {
    if (Exit.isSuccess(exit) && exit.value !== undefined) {
      const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(job.success))
      const encoded = yield* Effect.exit(encode(exit.value) as Effect.Effect<unknown, Schema.SchemaError>)
      const shown = Exit.isSuccess(encoded) ? JSON.stringify(encoded.value) : undefined
      if (shown !== undefined) process.stdout.write(`Result: ${shown}\n`)
    }
    if (Exit.isFailure(exit) && report.outcome === "failed") process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  })

export const printReport = (format: "pretty" | "json", report: StopReport): void =>
  void process.stdout.write(`${format === "json" ? JSON.stringify(report) : StopReport.render(report)}\n`)
