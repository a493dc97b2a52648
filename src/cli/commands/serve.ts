import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { defaultPort } from "../../manager/models.ts"
import { text } from "../flags/startFlags.ts"
import { asRefusal } from "../refusal.ts"

const flags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Where to listen; an address that others can reach takes a token"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(Flag.withDescription("0 for one that is free"), Flag.withDefault(defaultPort)),
  jobs: Flag.File("jobs").pipe(
    Flag.withDescription("A module that exports a job that can be submitted by its name; may be repeated"),
    Flag.withMetavar("module"),
    Flag.atLeast(0)
  ),
  data: Flag.Directory("data").pipe(
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
  memory: text(
    "memory",
    "What the processes of a job may have of memory, such as \"2 GB\"; no limit by default",
    "size"
  ),
  timeLimit: text("time-limit", "How long a job may run; no limit by default", "duration"),
  keepAge: text("keep-age", "How long jobs that have stopped are kept; 30 days by default", "duration"),
  keepJobs: Flag.Int("keep-jobs").pipe(
    Flag.withDescription("How many of them are kept at most; any number by default"),
    Flag.optional
  ),
  logs: text("logs", "How much is kept of what a job prints; \"16 MiB\" by default", "size"),
  uploads: Flag.Boolean("uploads").pipe(
    Flag.withDescription("Take jobs that clients bring along (the default); --no-uploads runs those of --jobs alone"),
    Flag.withDefault(true)
  ),
  allowRead: Flag.Path("allow-read").pipe(
    Flag.withDescription("A file or folder that jobs which clients bring along may read; may be repeated"),
    Flag.withMetavar("path"),
    Flag.atLeast(0)
  ),
  allowWrite: Flag.Path("allow-write").pipe(
    Flag.withDescription("A file or folder that they may write; may be repeated"),
    Flag.withMetavar("path"),
    Flag.atLeast(0)
  ),
  allowProcesses: Flag.Boolean("allow-processes").pipe(
    Flag.withDescription("Let them start processes, which are not confined"),
    Flag.withDefault(false)
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription("The file with the token that clients need; otherwise it is AUTOSTOP_TOKEN"),
    Flag.optional
  ),
  readTokenFile: Flag.File("read-token-file").pipe(
    Flag.withDescription("The file with one for clients that may only look; otherwise it is AUTOSTOP_READ_TOKEN"),
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
  readonly memory: Option.Option<string>
  readonly timeLimit: Option.Option<string>
  readonly keepAge: Option.Option<string>
  readonly keepJobs: Option.Option<number>
  readonly logs: Option.Option<string>
  readonly uploads: boolean
  readonly allowRead: ReadonlyArray<string>
  readonly allowWrite: ReadonlyArray<string>
  readonly allowProcesses: boolean
  readonly tokenFile: Option.Option<string>
  readonly readTokenFile: Option.Option<string>
}

/** `autostop serve`: a job manager, until a signal. */
export const serveCommand = Command.make("serve", flags, (input: ServeInput) =>
  // a server and its database take a while to load: other commands do not wait for them
  Effect.promise(() => import("./serveHere.ts")).pipe(
    Effect.flatMap(({ serveHere }) => serveHere(input)),
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Runs a job manager, until a signal stops it and its jobs"))
