import type { JobEvent } from "../../JobEvent.ts"
import { describeEvent } from "../../jobProcess/describeEvent.ts"
import { sayLine } from "./output.ts"

/** Prints an event to stderr, because the report goes to stdout. */
export const printEvent = (event: JobEvent, format: "pretty" | "json"): void => {
  const line = format === "json" ? JSON.stringify(event) : `${event.at.slice(11, 23)} ${describeEvent(event)}`
  sayLine(line)
}
