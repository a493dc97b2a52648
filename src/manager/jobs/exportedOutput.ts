/** Exports what jobs print, as log records. */
import { RateLimit } from "../../base/rateLimit.ts"
import type { LogRecord } from "../../telemetry/logSink.ts"
import { traceContext } from "../../telemetry/jobTrace.ts"
import type { JobInfo } from "../models.ts"
import type { JobObserver } from "./activeJob.ts"

/** The most lines of a job that are exported in one second. */
const mostLines = 1_000

export type PushLog = (record: LogRecord) => void

/** Exports the lines that a job prints, with its name and its id. `isTraced` says that its spans are exported as well. */
export const exportedOutput = (info: JobInfo, push: PushLog | undefined, isTraced: boolean): JobObserver["output"] => {
  if (push === undefined) return () => {}
  const limit = new RateLimit(mostLines)
  return (stream, lines, time, attempt) => {
    const at = Date.parse(time)
    const place = isTraced ? traceContext(info, attempt) : undefined
    for (const { text } of lines) {
      const leftOut = limit.pass(at)
      if (leftOut === undefined) continue
      push({
        at,
        text,
        attributes: {
          "autostop.job.name": info.job,
          "autostop.job.id": info.id,
          "log.iostream": stream,
          ...(leftOut === 0 ? {} : { "autostop.lines.left_out": leftOut })
        },
        span: place && { traceId: place.traceId, spanId: place.run }
      })
    }
  }
}
