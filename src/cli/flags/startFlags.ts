/** The flags of the commands that start a job. */
import type * as ByteSize from "effect/ByteSize"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { parseDuration } from "../../base/durationInput.ts"
import { messageOf } from "../../base/errorText.ts"
import { PolicyError } from "../../internal/policy/policyError.ts"
import { type FieldName, fieldNames, flag, policyFields } from "../../internal/policy/policyFields.ts"
import type { PolicySource } from "../../internal/policy/resolvePolicy.ts"
import * as Policy from "../../StopPolicy.ts"
import { CommandContext } from "../commandContext.ts"
import { Refusal } from "../refusal.ts"
import { readStdin } from "./readStdin.ts"

export const text = (name: string, description: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.optional)

// safe: the code that reads these texts refuses those that are no size or no duration
export const sizeOf = (flag: Option.Option<string>): ByteSize.Input | undefined =>
  Option.getOrUndefined(flag) as ByteSize.Input | undefined
export const durationOf = (flag: Option.Option<string>): Duration.Input | undefined =>
  Option.getOrUndefined(flag) as Duration.Input | undefined

const metavarOf = (field: FieldName): string => {
  const { expected } = policyFields[field]
  if (expected.startsWith("a duration")) return "duration"
  return expected.startsWith("one of ") ? expected.slice("one of ".length).replaceAll(", ", "|") : "number"
}

/** The flags of the stop settings, one for each. */
const policyFlags = Object.fromEntries(
  fieldNames.map((field) => [field, text(flag(field).slice(2), policyFields[field].description, metavarOf(field))])
) as Record<keyof Policy.Settings, Flag.Flag<Option.Option<string>>> // safe: there is one for each field

export const startFlags = {
  payload: text("payload", "The payload as JSON, @FILE for a file with JSON, or - for JSON on stdin", "json"),
  autostop: Flag.Boolean("autostop").pipe(
    Flag.withDescription("Stop when the run ends (the default); --no-autostop keeps the services up until a stop"),
    Flag.withDefault(true)
  ),
  idle: text("idle", "Stop also when no source has emitted an element for this long", "duration"),
  after: text("after", "Stop also after this time", "duration"),
  ...policyFlags
}

export interface StartInput extends Record<keyof Policy.Settings, Option.Option<string>> {
  readonly payload: Option.Option<string>
  readonly autostop: boolean
  readonly idle: Option.Option<string>
  readonly after: Option.Option<string>
}

/** The `autostop` of a job, as the flags give it. */
export type GivenAutostop = boolean | { readonly idle: Duration.Duration } | { readonly after: Duration.Duration }

/** Returns the stop settings among the flags. Error messages name each by its flag. */
export const policySourceOf = (input: StartInput): PolicySource => ({
  settings: Object.fromEntries(
    fieldNames.flatMap((field) => Option.isSome(input[field]) ? [[field, input[field].value]] : [])
  ),
  nameOf: flag
})

export const autostopOf = Effect.fnUntraced(function*(
  { after, autostop, idle }: StartInput
): Effect.fn.Return<GivenAutostop, PolicyError | Refusal> {
  const given = [
    ...(autostop ? [] : ["--no-autostop"]),
    ...(Option.isSome(idle) ? ["--idle"] : []),
    ...(Option.isSome(after) ? ["--after"] : [])
  ]
  if (given.length > 1) {
    return yield* new Refusal({ message: `${given.join(" and ")} cannot be combined; expected one of them` })
  }
  if (Option.isSome(idle)) return { idle: yield* moreThanZero("--idle", idle.value) }
  if (Option.isSome(after)) return { after: yield* moreThanZero("--after", after.value) }
  return autostop
})

const moreThanZero = (name: string, value: string): Effect.Effect<Duration.Duration, PolicyError> => {
  const duration = parseDuration(value)
  return duration === undefined || Duration.isZero(duration)
    ? Effect.fail(
      PolicyError.of(name, value, "a duration of more than zero, such as \"500ms\", \"5s\" or \"2 minutes\"")
    )
    : Effect.succeed(duration)
}

/** Reads the payload from its flag, from the file that the flag names, or from stdin if that is `-` or `@-`. */
export const readPayload = (payload: Option.Option<string>) =>
  Effect.gen(function*() {
    if (Option.isNone(payload)) return undefined
    const { value } = payload
    const { owner } = yield* CommandContext
    const text = value === "@-" || value === "-"
      ? yield* readStdin("--payload", (line) => owner.say(`autostop: ${line}`))
      : value.startsWith("@")
      ? yield* attempt(`--payload ${value} cannot be read`, () => readFileSync(value.slice(1), "utf8"))
      : value
    return yield* attempt("--payload is not JSON", (): unknown => JSON.parse(text.replace(/^\uFEFF/, "")))
  })

const attempt = <A>(what: string, f: () => A): Effect.Effect<A, Refusal> =>
  Effect.try({ try: f, catch: (error) => new Refusal({ message: `${what}: ${messageOf(error)}` }) })
