import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import {
  type Environment,
  type Host,
  type JobEvent,
  type JobRun,
  LocalEnvironment,
  type PolicyError,
  type SubmitError,
  type SubmitOptions
} from "../../src/index.ts"
import { isAlive } from "./cli.ts"
import { submit } from "./jobs.ts"

export type RemoteKind = Exclude<Host.HostKind, "local">

const onRay = process.env["TEST_HOSTS"] === "ray"

/** The kinds of hosts that are not in process: those of this machine, or, with a cluster, `ray`. */
export const remotes: ReadonlyArray<RemoteKind> = onRay ? ["ray"] : ["thread", "process"]

/** All kinds of hosts that can be tested. */
export const everywhere: ReadonlyArray<Host.HostKind> = onRay ? remotes : ["local", ...remotes]

/** The limit of a start that never ends, in milliseconds. */
export const shortStartMs = onRay ? 25_000 : 10_000

/** The limit of a start outside of a job, which no setting of the suite reaches. */
export const patientStart = { timeout: onRay ? "150 seconds" : "60 seconds" } as const

/** What a loaded machine, or a cluster, may add to the limit of a service, in milliseconds. */
export const slackMs = onRay ? 15_000 : 2_500

/** Provides the environment of the jobs of one test. */
export const local = Effect.provide(LocalEnvironment.layer)

/** Runs an effect as a job with services, and returns its exit and its report. */
export const runJob = <A, E, ROut = never>(
  run: Effect.Effect<A, E, ROut | Scope.Scope>,
  services?: Layer.Layer<ROut, unknown>,
  options?: SubmitOptions
): Effect.Effect<Effect.Success<JobRun<A, E>["result"]>, SubmitError | PolicyError, Environment | Scope.Scope> =>
  Effect.flatMap(
    submit(run, services, options),
    // safe: the result has the error of the run, which a test need not declare
    ({ result }) => result as JobRun<A, E>["result"]
  )

type Tagged<T extends JobEvent["_tag"]> = Extract<JobEvent, { readonly _tag: T }>

/** Waits for the `nth` event of a kind, which may have happened before. */
export const eventOf = <const T extends JobEvent["_tag"]>(
  run: Pick<JobRun<unknown, unknown>, "events">,
  tag: T,
  nth = 1
): Effect.Effect<Tagged<T>> =>
  run.events.pipe(
    Stream.filter((event): event is Tagged<T> => event._tag === tag),
    Stream.drop(nth - 1),
    Stream.runHead,
    Effect.map(Option.getOrThrowWith(() => new Error(`the job has stopped without ${tag} ${nth}`)))
  )

/** All events of a job that has stopped. */
export const eventsOf = (run: Pick<JobRun<unknown, unknown>, "events">) => Stream.runCollect(run.events)

/** The patience with what ends all the same, in milliseconds: several actors may start at a time on a busy machine. */
const patienceMs = onRay ? 150_000 : 60_000

/** Waits for a condition that no event announces. */
export const until = (what: string, isSo: () => boolean, limitMs = patienceMs): Effect.Effect<void> =>
  Effect.promise(async () => {
    const end = performance.now() + limitMs
    while (!isSo()) {
      if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })

/** Returns true while a process runs; a zombie does not. */
export const isRunning = (pid: number): boolean => {
  if (!isAlive(pid)) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z"
  } catch {
    return isAlive(pid)
  }
}

/** Waits until a process is gone. */
export const gone = (pid: number, limitMs?: number): Effect.Effect<void> =>
  until(`process ${pid} is gone`, () => !isRunning(pid), limitMs)
