/** The flags of `autostop serve`. */
import * as Flag from "effect/cli/Flag"
import type * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { defaultPort } from "../../manager/models.ts"
import { text } from "./startFlags.ts"

export const serveFlags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("The address to listen on; one that others can reach needs a token"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("The port to listen on; 0 for any free port"),
    Flag.withDefault(defaultPort)
  ),
  jobs: Flag.File("jobs").pipe(
    Flag.withDescription("A module whose jobs can be submitted by name; may be repeated"),
    Flag.withMetavar("module"),
    Flag.atLeast(0)
  ),
  data: Flag.Directory("data").pipe(
    Flag.withDescription("The folder for logs, and for the store if --store is not given"),
    Flag.withDefault(".autostop")
  ),
  store: Flag.String("store").pipe(
    Flag.withDescription(
      "The store: the path of an SQLite file, or a postgres:// URL without a password; AUTOSTOP_STORE by default"
    ),
    Flag.optional
  ),
  storeFile: Flag.File("store-file").pipe(
    Flag.withDescription("The file with the URL of the store, which may have a password"),
    Flag.optional
  ),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withDescription("How many jobs run at once; the others wait"),
    Flag.withDefault(Math.max(4, availableParallelism()))
  ),
  spares: Flag.Int("spares").pipe(
    Flag.withDescription("How many processes are started before there are jobs for them, within the free places"),
    Flag.withDefault(2)
  ),
  memory: text(
    "memory",
    "The memory that the processes of a job may use, such as \"2 GB\"; no limit by default",
    "size"
  ),
  timeLimit: text("time-limit", "How long a job may run; no limit by default", "duration"),
  keepAge: text("keep-age", "How long jobs that have stopped are kept; 30 days by default", "duration"),
  keepJobs: Flag.Int("keep-jobs").pipe(
    Flag.withDescription("How many of them are kept; any number by default"),
    Flag.optional
  ),
  logs: text("logs", "How much of a job's output is kept; \"16 MiB\" by default", "size"),
  maxBody: text("max-body", "The largest body of a request, and so the largest payload; \"1 MiB\" by default", "size"),
  maxUpload: text("max-upload", "The largest bundle that a client may upload; \"16 MiB\" by default", "size"),
  maxConnections: Flag.Int("max-connections").pipe(
    Flag.withDescription("How many connections may be open; 1024 by default"),
    Flag.optional
  ),
  maxQueued: Flag.Int("max-queued").pipe(
    Flag.withDescription("How many jobs may wait; 10000 by default"),
    Flag.optional
  ),
  maxBundles: text("max-bundles", "How large all uploaded bundles may be together; \"1 GiB\" by default", "size"),
  uploads: Flag.Boolean("uploads").pipe(
    Flag.withDescription("Run jobs that clients upload (the default); --no-uploads runs only those of --jobs"),
    Flag.withDefault(true)
  ),
  allowRead: Flag.Path("allow-read").pipe(
    Flag.withDescription("A file or folder that uploaded jobs may read; may be repeated"),
    Flag.withMetavar("path"),
    Flag.atLeast(0)
  ),
  allowWrite: Flag.Path("allow-write").pipe(
    Flag.withDescription("A file or folder that uploaded jobs may write; may be repeated"),
    Flag.withMetavar("path"),
    Flag.atLeast(0)
  ),
  allowProcesses: Flag.Boolean("allow-processes").pipe(
    Flag.withDescription("Let uploaded jobs start processes, which are not confined"),
    Flag.withDefault(false)
  ),
  env: Flag.String("env").pipe(
    Flag.withDescription("A variable of this process that each job gets; may be repeated"),
    Flag.withMetavar("name"),
    Flag.atLeast(0)
  ),
  // Node takes `--env-file` for its own, wherever it stands
  envFrom: Flag.File("env-from").pipe(
    Flag.withDescription("A file of variables (NAME=value) that a job gets if its submit names them"),
    Flag.optional
  ),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription(
      "The file with the token that clients need; by default the token in AUTOSTOP_TOKEN, or one made for this user alone"
    ),
    Flag.optional
  ),
  open: Flag.Boolean("open").pipe(
    Flag.withDescription("Let every user of this machine run code as this user, without a token"),
    Flag.withDefault(false)
  ),
  readTokenFile: Flag.File("read-token-file").pipe(
    Flag.withDescription("The file with a token that only reads; the token in AUTOSTOP_READ_TOKEN by default"),
    Flag.optional
  )
}

export interface ServeInput {
  readonly host: string
  readonly port: number
  readonly jobs: ReadonlyArray<string>
  readonly data: string
  readonly store: Option.Option<string>
  readonly storeFile: Option.Option<string>
  readonly concurrency: number
  readonly spares: number
  readonly memory: Option.Option<string>
  readonly timeLimit: Option.Option<string>
  readonly keepAge: Option.Option<string>
  readonly keepJobs: Option.Option<number>
  readonly logs: Option.Option<string>
  readonly maxBody: Option.Option<string>
  readonly maxUpload: Option.Option<string>
  readonly maxConnections: Option.Option<number>
  readonly maxQueued: Option.Option<number>
  readonly maxBundles: Option.Option<string>
  readonly uploads: boolean
  readonly allowRead: ReadonlyArray<string>
  readonly allowWrite: ReadonlyArray<string>
  readonly allowProcesses: boolean
  readonly env: ReadonlyArray<string>
  readonly envFrom: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly open: boolean
  readonly readTokenFile: Option.Option<string>
}
