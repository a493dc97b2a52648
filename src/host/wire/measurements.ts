/** The measurements of a host: the numbers of its calls, and the spans of its code, as it sends them to its caller. */
import * as Schema from "effect/Schema"
import { CallCounts } from "../../telemetry/callCounts.ts"
import { SpanRecord } from "../../telemetry/spanRecord.ts"
import { type FrameWriter, readJson, Reply } from "./frames.ts"

const Measurements = Schema.Struct({
  counts: Schema.Array(CallCounts),
  spans: Schema.Array(SpanRecord)
})
export type Measurements = typeof Measurements.Type

const isMeasurements = Schema.is(Measurements)

export const sendMeasurements = (writer: FrameWriter, measurements: Measurements): void =>
  writer.writeJson(Reply.measurements, measurements)

export const readMeasurements = (body: Uint8Array): Measurements => readJson(body, isMeasurements)
