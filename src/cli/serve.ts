import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { defaultPort } from "../manager/models.ts"
import { asRefusal } from "./refusal.ts"

const flags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Where to listen; an address that others can reach takes a token"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(Flag.withDescription("0 for one that is free"), Flag.withDefault(defaultPort)),
  jobs: Flag.String("jobs").pipe(
    Flag.withDescription("A module that exports a job that can be submitted by its name; may be repeated"),
    Flag.withMetavar("module"),
    Flag.atLeast(0)
  ),
  data: Flag.String("data").pipe(
    Flag.withDescription("The folder for logs, and for the store where none is named"),
    Flag.withDefault(".autostop")
  ),
  store: Flag.String("store").pipe(
    Flag.withDescription("The store: the path of an SQLite file, or a postgres:// URL"),
    Flag.optional
  ),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withDescription("How many jobs run at once; the others wait"),
    Flag.withDefault(Math.max(4, availableParallelism()))
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withDescription("The file with the token that clients need; otherwise it is AUTOSTOP_TOKEN"),
    Flag.optional
  )
}

export interface ServeInput {
  readonly host: string
  readonly port: number
  readonly jobs: ReadonlyArray<string>
  readonly data: string
  readonly store: Option.Option<string>
  readonly concurrency: number
  readonly tokenFile: Option.Option<string>
}

/** `autostop serve`: a job manager, until a signal. */
export const serveCommand = Command.make("serve", flags, (input: ServeInput) =>
  // a server and its database take a while to load: other commands do not wait for them
  Effect.promise(() => import("./serveHere.ts")).pipe(
    Effect.flatMap(({ serveHere }) => serveHere(input)),
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Runs a job manager, until a signal stops it and its jobs"))
