import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { causeStack } from "../../base/errorText.ts"
import { attempt, valueText } from "../../base/valueText.ts"
import { reportFile } from "../../internal/report/reportFile.ts"
import type * as Job from "../../Job.ts"
import { encodeSuccess } from "../../manager/exitCodec.ts"
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

/** The time that a Schema has to encode a result that is printed. */
const encodeMs = 5_000

/**
 * Prints the result of a run: its value, or why it failed. A value that its Schema does not encode is shown as code would
 * write it. Never fails.
 */
export const printResult = (job: Job.Any, exit: Exit.Exit<unknown, unknown>, report: StopReport): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (Exit.isFailure(exit)) {
      if (report.outcome === "failed") process.stderr.write(`${causeStack(exit.cause)}\n`)
    } else if (exit.value !== undefined) {
      const encoded = yield* Effect.exit(Effect.timeout(encodeSuccess(job, exit.value), encodeMs))
      const json = Exit.isSuccess(encoded) ? attempt(() => JSON.stringify(encoded.value)) : undefined
      process.stdout.write(`Result: ${json ?? valueText(exit.value)}\n`)
    }
  })

export const printReport = (format: "pretty" | "json", report: StopReport): void =>
  void process.stdout.write(`${format === "json" ? JSON.stringify(report) : StopReport.render(report)}\n`)
