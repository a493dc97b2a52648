/** How the commands that speak with a job manager reach it. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import type { Client } from "../manager/client.ts"
import { defaultPort } from "../manager/models.ts"
import { messageOf } from "./output.ts"
import { Refusal } from "./refusal.ts"

export const remoteFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription("Where the job manager is"),
    Flag.withDefault(process.env["AUTOSTOP_URL"] ?? `http://127.0.0.1:${defaultPort}`)
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withDescription("The file with the token; otherwise it is AUTOSTOP_TOKEN"),
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

/** The token: from the file, or from the environment; never an argument, which others on the machine can see. */
export const readToken = (file: Option.Option<string>): Effect.Effect<string | undefined, Refusal> =>
  Option.isNone(file) ? Effect.succeed(process.env["AUTOSTOP_TOKEN"] || undefined) : Effect.try({
    try: () => readFileSync(file.value, "utf8").trim(),
    catch: (error) => new Refusal({ message: `--token-file ${file.value} cannot be read: ${messageOf(error)}` })
  })

/** Asks the manager, and says what went wrong in one line. */
export const ask = <A, E, R>(
  { tokenFile, url }: RemoteInput,
  use: (client: Client) => Effect.Effect<A, E, R>
): Effect.Effect<A, Refusal, Exclude<R, Scope.Scope>> =>
  Effect.scoped(Effect.gen(function*() {
    const token = yield* readToken(tokenFile)
    // those who only run jobs here need not wait for it
    const { makeClient, tell } = yield* Effect.promise(() => import("../manager/client.ts"))
    const client = yield* makeClient({ url, token })
    return yield* Effect.mapError(
      use(client),
      (error) => error instanceof Refusal ? error : new Refusal({ message: advice(url, tell(error)) })
    )
  }))

/** What to do next, where that is known. */
const advice = (url: string, message: string): string =>
  /ECONNREFUSED/.test(message)
    ? `no job manager answers at ${url}; start one with "autostop serve", or say where it is with --url`
    : /bearer token is required/.test(message)
    ? `${message}; set AUTOSTOP_TOKEN, or give --token-file`
    : message

/** Rows as a table, with a head. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`)
