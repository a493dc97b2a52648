/** How the commands that speak with a job manager reach it. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { messageOf } from "../../base/errorText.ts"
import type { Client } from "../../manager/client/apiClient.ts"
import { defaultPort, JobId } from "../../manager/models.ts"
import { CommandLine } from "../commandLine.ts"
import { leaving } from "../leaveEarly.ts"
import { Refusal } from "../refusal.ts"

const isJobId = Schema.is(JobId)

export const remoteFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription(
      `Where the job manager is; otherwise it is AUTOSTOP_URL, and without that http://127.0.0.1:${defaultPort}`
    ),
    Flag.withDefault(process.env["AUTOSTOP_URL"] || `http://127.0.0.1:${defaultPort}`)
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription("The file with the token; otherwise it is AUTOSTOP_TOKEN"),
    Flag.optional
  ),
  format: Flag.Literals("format", ["pretty", "json"]).pipe(
    Flag.withDescription("What to print: pretty for people, json for machines"),
    Flag.withDefault("pretty")
  )
}

export const jobId = Argument.String("id").pipe(
  Argument.withDescription("The id of a job, or the beginning of one"),
  Argument.filter(isJobId, () => "letters, digits, \"-\" and \"_\"")
)

export interface RemoteInput {
  readonly url: string
  readonly tokenFile: Option.Option<string>
  readonly format: "pretty" | "json"
}

/** A token: from a file, or from the environment; never an argument, which others on the machine can see. */
export const readToken = (
  file: Option.Option<string>,
  { flag, variable } = { flag: "--token-file", variable: "AUTOSTOP_TOKEN" }
): Effect.Effect<string | undefined, Refusal> =>
  Option.isNone(file) ? Effect.succeed(process.env[variable] || undefined) : Effect.try({
    try: () => readFileSync(file.value, "utf8").trim(),
    catch: (error) => new Refusal({ message: `${flag} ${file.value} cannot be read: ${messageOf(error)}` })
  })

/** Asks the manager, and says what went wrong in one line. Ends in silence where nobody wants to know any longer. */
export const ask = <E, R>(
  input: RemoteInput,
  use: (client: Client, url: string) => Effect.Effect<void, E, R>
): Effect.Effect<void, Refusal, Exclude<R, Scope.Scope> | CommandLine> =>
  Effect.scoped(Effect.gen(function*() {
    const left = leaving(yield* CommandLine)
    const token = yield* readToken(input.tokenFile)
    const url = yield* urlOf(input.url)
    // those who only run jobs here need not wait for it
    const api = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    const client = yield* api.makeClient({ url, token })
    const asked = Effect.mapError(
      use(client, url),
      (error) => error instanceof Refusal ? error : new Refusal({ message: explain(url, error, api) })
    )
    yield* Effect.raceFirst(asked, left.await)
  }))

const urlOf = (text: string): Effect.Effect<string, Refusal> => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  return url?.protocol === "http:" || url?.protocol === "https:"
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : Effect.fail(new Refusal({ message: `--url is "${text}"; expected an address such as http://127.0.0.1:19001` }))
}

/** What went wrong, and what to do next where that is known. */
const explain = (
  url: string,
  error: unknown,
  { failureText, obstacle }: typeof import("../../manager/client/apiClient.ts")
): string => {
  const message = failureText(error)
  switch (obstacle(error)) {
    case "unreachable":
      return `no job manager answers at ${url}; start one with "autostop serve", or say where it is with --url`
    case "lost":
      return `the connection to the job manager at ${url} was lost (${message})`
    case "stranger":
      return stranger(url, message)
    case undefined:
      return hasProperty(error, "_tag") && error._tag === "Unauthorized"
        ? `${message}; set AUTOSTOP_TOKEN, or give --token-file`
        : message
  }
}

export const stranger = (url: string, why: string): string =>
  `what answers at ${url} is no job manager, or one of another version; say where it is with --url (${why})`

/** The beginnings of random ids are told apart as easily as the whole, unless two of them are the same. */
export const shortened = (jobs: ReadonlyArray<{ readonly id: string }>): (id: string) => string => {
  const beginning = (id: string) => id.slice(0, 8)
  const alike = Map.groupBy(jobs, ({ id }) => beginning(id))
  return (id) =>
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/.test(id) && alike.get(beginning(id))?.length === 1 ? beginning(id) : id
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`)
