/** The flags of the commands that ask a job manager. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { messageOf } from "../../base/errorText.ts"
import { defaultPort, idForm, JobId } from "../../manager/models.ts"
import { tokenFault, tokenText } from "../../manager/token.ts"
import { Refusal } from "../refusal.ts"

const defaultUrl = `http://127.0.0.1:${defaultPort}`

export const remoteFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription(`The address of the job manager; AUTOSTOP_URL by default, or else ${defaultUrl}`),
    Flag.withDefault(process.env["AUTOSTOP_URL"] || defaultUrl)
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription("The file with the token; the token in AUTOSTOP_TOKEN by default"),
    Flag.optional
  ),
  format: Flag.Literals("format", ["pretty", "json"]).pipe(
    Flag.withDescription("What to print: pretty for people, json for machines"),
    Flag.withDefault("pretty")
  )
}

export interface RemoteInput {
  readonly url: string
  readonly tokenFile: Option.Option<string>
  readonly format: "pretty" | "json"
}

export const jobId = Argument.String("id").pipe(
  Argument.withDescription("The id of a job; a random id may be shortened to its first 8 characters or more"),
  Argument.filter(Schema.is(JobId), () => idForm)
)

/** Reads a text from a file, or else from a variable. */
export const readSecretText = (
  file: Option.Option<string>,
  { flag, variable }: { readonly flag: string; readonly variable: string }
): Effect.Effect<string | undefined, Refusal> =>
  Option.isNone(file) ? Effect.succeed(process.env[variable] || undefined) : Effect.try({
    try: () => readFileSync(file.value, "utf8"),
    catch: (error) => new Refusal({ message: `${flag} ${file.value} cannot be read: ${messageOf(error)}` })
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
export const readUrl = (given: string): Effect.Effect<string, Refusal> => {
  const text = given.trim()
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  return url?.protocol === "http:" || url?.protocol === "https:"
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : Effect.fail(new Refusal({ message: `--url is "${text}"; expected an address such as ${defaultUrl}` }))
}
