import * as Schema from "effect/Schema"
import { StopReport } from "../../src/index.ts"
import type { Started } from "./cli.ts"

/** The report that `--format json` printed: the last line of the output. */
export const reportOn = (run: Started): StopReport =>
  Schema.decodeUnknownSync(StopReport)(JSON.parse(run.stdout.trim().split("\n").at(-1) ?? ""))
