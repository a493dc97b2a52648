/** The flags of the commands that ask a job manager. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { defaultPort, idForm, JobId } from "../../manager/models.ts"
import { readSecretFile } from "../../manager/privateFiles.ts"
import { tokenFault, tokenText } from "../../manager/token.ts"
import { Refusal } from "../refusal.ts"

/** The address of the manager of this machine. */
export const defaultUrl = `http://127.0.0.1:${defaultPort}`

export const remoteFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription(
      `The address of the job manager; by default AUTOSTOP_URL, or that of the context, or else ${defaultUrl}`
    ),
    Flag.optional
  ),
  context: Flag.String("context").pipe(
    Flag.withDescription(
      "The name of the job manager, see \"autostop context\"; by default AUTOSTOP_CONTEXT, or the current context"
    ),
    Flag.optional
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription(
      "The file with the token; by default that of the context, AUTOSTOP_TOKEN, or what this user's manager has made"
    ),
    Flag.optional
  ),
  format: Flag.Literals("format", ["pretty", "json"]).pipe(
    Flag.withDescription("What to print: pretty for people, json for machines"),
    Flag.withDefault("pretty")
  )
}

export interface RemoteInput {
  readonly url: Option.Option<string>
  readonly context: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly format: "pretty" | "json"
}

export const jobId = Argument.String("id").pipe(
  Argument.withDescription("The id of a job; a random id may be shortened to its first 8 characters or more"),
  Argument.filter(Schema.is(JobId), () => idForm)
)

/** Reads a secret from a file, or else from a variable; one that is set and empty has a reason, and is not left out. */
export const readSecretText = (
  file: Option.Option<string>,
  { flag, variable }: { readonly flag: string; readonly variable: string }
): Effect.Effect<string | undefined, Refusal> =>
  Effect.suspend(() => {
    if (Option.isNone(file)) return Effect.succeed(process.env[variable])
    const read = readSecretFile(file.value)
    return read._tag === "Text"
      ? Effect.succeed(read.text)
      : Effect.fail(new Refusal({ message: `${flag} ${file.value} ${read.fault}` }))
  })

/** Reads a token from a file or the environment. It is never an argument, because others on the machine can see those. */
export const readToken = Effect.fnUntraced(function*(
  file: Option.Option<string>,
  { flag, variable } = { flag: "--token-file", variable: "AUTOSTOP_TOKEN" }
): Effect.fn.Return<string | undefined, Refusal> {
  const given = yield* readSecretText(file, { flag, variable })
  if (given === undefined) return undefined
  const token = tokenText(given)
  const fault = tokenFault(token)
  if (fault === undefined) return token
  const where = Option.isNone(file) ? variable : `the token in ${flag} ${file.value}`
  return yield* new Refusal({ message: `${where} ${fault}` })
})

/** Reads the address of a manager, without a slash at its end. */
export const readUrl = (given: string, name = "--url"): Effect.Effect<string, Refusal> => {
  const text = given.trim()
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  return url?.protocol === "http:" || url?.protocol === "https:"
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : Effect.fail(new Refusal({ message: `${name} is "${text}"; expected an address such as ${defaultUrl}` }))
}
