/** What the process of an isolated job and its supervisor tell each other: JSON, one line each. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { JobEvent } from "../JobEvent.ts"
import { StopReport } from "../StopReport.ts"

/** The deadline that the job has in the end; JSON has no infinity: there it is `null`. */
const Limits = Schema.TaggedStruct("Limits", { deadlineMs: Schema.NullOr(Schema.Number) })

const Reported = Schema.TaggedStruct("Reported", { report: StopReport })

/** The job has stopped, and its process still writes what it has to say. */
const Alive = Schema.TaggedStruct("Alive", {})

/** What the process of the job tells. */
export const Told = Schema.Union([JobEvent, Limits, Reported, Alive])
export type Told = typeof Told.Type

/** What the supervisor asks for: a signal came, the how manieth. */
export const Asked = Schema.TaggedStruct("Signal", {
  signal: Schema.Literals(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"]),
  count: Schema.Int
})
export type Asked = typeof Asked.Type

export const decodeTold = Schema.decodeUnknownOption(Schema.fromJsonString(Told))
export const decodeAsked = Schema.decodeUnknownOption(Schema.fromJsonString(Asked))

export const encode = (message: Told | Asked): string => `${JSON.stringify(message)}\n`

/** Takes text as it comes and hands on what its lines say. One that was cut off as its writer died says nothing. */
export const reader = <A>(decode: (line: string) => Option.Option<A>, take: (message: A) => void) => {
  let rest = ""
  return (text: string): void => {
    const lines = text.split("\n")
    lines[0] = rest + (lines[0] ?? "")
    rest = lines.pop() ?? ""
    for (const line of lines) Option.map(decode(line), take)
  }
}
