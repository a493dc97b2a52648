/** The driver of a Ray job, which is `host.py`: its submission, and the proof by which its owner finds and trusts it. */
import * as Effect from "effect/Effect"
import { createDiffieHellmanGroup, createHash } from "node:crypto"
import { attempt, cutText } from "../../base/valueText.ts"
import { entries } from "../entryPoints.ts"
import type { RaySettings } from "../raySettings.ts"
import { dial } from "./dial.ts"
import { isAddress, type KeyedConnection } from "./keyedConnection.ts"
import { isFinal, type JobDetails, type RayApi } from "./rayApi.ts"
import { RayError } from "./rayError.ts"
import { clusterPath, uploadRuntimeEnv } from "./runtimeEnv.ts"

/** The oldest Node that a host runs with. */
const atLeast = [22, 19]

/** The time for which the driver waits for its owner, which looks for the driver all the time. */
const ownerMs = 30_000

/** The interval at which the log of the driver is read until it says where it listens. */
const pollInterval = "100 millis"

/** The addition to the limit of a host before Ray may kill the driver that waits for it. */
const stopSeconds = 10

export interface RayJobOptions {
  readonly api: RayApi
  readonly settings: RaySettings
  readonly service: string
  /** The time that a host has to clean up. */
  readonly limitMs: number
}

/** The driver of a job, which creates and kills actors. */
export interface Driver {
  readonly connection: KeyedConnection
  readonly key: Uint8Array
}

/** The first line of the driver: its address, and its half of the key. */
interface Hello {
  readonly host: string
  readonly port: number
  readonly public: string
  /** The id by which Ray knows the actors of the job; it is not that of the submission. */
  readonly jobId: string
}

/** Listens to the progress of a job that starts. */
export interface StartListener {
  /** Ray may know the job from now on. */
  readonly onSubmit: () => void
  readonly onJobId: (jobId: string) => void
  /** Takes the driver, and closes its connection later. */
  readonly onDriver: (driver: Driver) => void
}

/** Submits a job, and connects with its driver once that runs. */
export const startDriver = (
  id: string,
  options: RayJobOptions,
  listener: StartListener
): Effect.Effect<void, RayError> =>
  Effect.gen(function*() {
    const { api, service, settings } = options
    const own = createDiffieHellmanGroup("modp14")
    const plan = { ...planOf(id, options), prime: own.getPrime("hex"), public: own.generateKeys("hex") }
    const runtimeEnv = yield* uploadRuntimeEnv(api, settings.runtimeEnv)
    const submit = Effect.suspend(() => {
      listener.onSubmit()
      return api.submit({
        submission_id: id,
        entrypoint: `${quoted(settings.python)} -m autostop_host ${Buffer.from(JSON.stringify(plan)).toString("hex")}`,
        runtime_env: { ...runtimeEnv, env_vars: { ...Object(runtimeEnv["env_vars"]), ...variablesOf(options) } },
        metadata: { service }
      })
    })
    // a cluster that was not heard may still start the job later
    yield* Effect.uninterruptible(submit)
    const hello = yield* helloOf(id, options)
    const key = yield* Effect.try({
      try: () => {
        const theirs = Buffer.from(hello.public.padStart(2 * own.getPrime().length, "0"), "hex")
        return createHash("sha256").update(own.computeSecret(theirs)).digest()
      },
      catch: () => RayError.of(`the driver of the Ray job ${id} gave no half of a key`)
    })
    listener.onJobId(hello.jobId)
    yield* dial(hello, key, "driver", (connection) => listener.onDriver({ connection, key }))
  })

/** Adds to an error of the driver which setting would help. */
export const withAdvice = (error: string, { names, node }: RaySettings): string => {
  if (/ could not be run on node | is Node v/.test(error)) {
    return `${error}; Node ${atLeast.join(".")} or later is needed there: set ${names.node}, which is "${node}"`
  }
  return error.startsWith("the guard on node ")
    ? `${error}; this package must be at that path there, or in the working_dir of ${names.runtimeEnv}`
    : error
}

/** The argument of the driver. */
const planOf = (id: string, { limitMs, settings }: RayJobOptions) => {
  const { actor, namespace, node } = settings
  return {
    name: id,
    namespace: namespace ?? id,
    node,
    atLeast,
    guard: [clusterPath(entries.rayGuard.href, settings.runtimeEnv)],
    actor,
    limitMs,
    ownerMs
  }
}

const variablesOf = ({ limitMs }: RayJobOptions) => ({
  // the processes of an actor have a guard, which lets them clean up
  RAY_kill_child_processes_on_worker_exit: "0",
  RAY_JOB_STOP_WAIT_TIME_S: String(Number.isFinite(limitMs) ? Math.ceil(limitMs / 1_000) + stopSeconds : 86_400)
})

/** Waits until the log of the job has what the driver prints first. Fails if the job ends before. */
const helloOf = (id: string, { api, settings }: RayJobOptions): Effect.Effect<Hello, RayError> =>
  Effect.gen(function*() {
    while (true) {
      const [, json] = /^autostop (\{.*\})$/m.exec(yield* api.logs(id)) ?? []
      if (json !== undefined) return yield* helloIn(id, json)
      const details = yield* api.job(id)
      if (isFinal(details)) return yield* failureOf(id, details, api, settings)
      yield* Effect.sleep(pollInterval)
    }
  })

/** Reads the first line of a driver; a log may have another such line. */
const helloIn = (id: string, json: string): Effect.Effect<Hello, RayError> => {
  const hello: unknown = attempt(() => JSON.parse(json))
  if (typeof hello === "object" && hello !== null) {
    const { jobId, public: theirs } = hello as Readonly<Record<string, unknown>> // safe: it is an object
    if (isAddress(hello) && typeof theirs === "string" && typeof jobId === "string") {
      return Effect.succeed({ host: hello.host, port: hello.port, public: theirs, jobId })
    }
  }
  return Effect.fail(RayError.of(`the Ray job ${id} does not say where its driver listens: ${cutText(json, 200)}`))
}

const failureOf = (
  id: string,
  { message, status }: JobDetails,
  api: RayApi,
  settings: RaySettings
): Effect.Effect<never, RayError> =>
  Effect.flatMap(api.logs(id), (text) => {
    const logs = text.trim().split("\n").slice(-20).join("\n")
    const why = withAdvice(message ?? "", settings)
    return RayError.of(`the Ray job ${id} is ${status}: ${why}${logs === "" ? "" : `; its log ends with:\n${logs}`}`)
  })

const quoted = (text: string): string => /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
