import * as Schema from "effect/Schema"
import { StopReport } from "../../src/index.ts"
import type { Started } from "./cli.ts"

/** The report that `--format json` printed. A service that was abandoned may print something after it. */
export const reportOn = (run: Started): StopReport =>
  Schema.decodeUnknownSync(StopReport)(
    JSON.parse(run.stdout.split("\n").findLast((line) => line.startsWith("{\"jobId\"")) ?? "")
  )

/** The report of a job that ran well and had nothing to stop. */
export const reportNamed = (job: string): StopReport => {
  const at = "2026-01-01T00:00:00.000Z"
  return new StopReport({
    jobId: "1",
    job,
    environment: "local",
    trigger: "completed",
    outcome: "succeeded",
    clean: true,
    startedAt: at,
    stoppedAt: at,
    phases: [],
    stages: [],
    services: [],
    leftovers: []
  })
}
