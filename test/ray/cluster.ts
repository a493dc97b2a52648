/** What tests see of the cluster from outside. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import * as http from "node:http"
import { promisify } from "node:util"
import { isRunning, until } from "../support/hosts.ts"
import { readFileSync } from "node:fs"

export const address = process.env["AUTOSTOP_RAY_ADDRESS"] ?? ""
export const token = process.env["AUTOSTOP_RAY_TOKEN"] ?? ""

/** Asks the API of a cluster. */
export const ask = (path: string, method = "GET", at = address): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    http.request(`${at}${path}`, { method, headers }, (response) => {
      let text = ""
      response.on("data", (chunk: Buffer) => text += chunk)
      response.on("end", () => resolve(text))
    }).on("error", reject).end()
  })

interface ActorState {
  readonly actor_id: string
  readonly name: string
  readonly state: string
  readonly pid: number
  readonly node_id: string
  readonly ray_namespace: string
}

/** The actors of our Ray jobs, those that are gone as well. */
export const actors = async (): Promise<ReadonlyArray<ActorState>> => {
  const answer = JSON.parse(await ask("/api/v0/actors?detail=true&limit=1000"))
  return answer.data.result.result.filter(({ name }: ActorState) => name.startsWith("autostop-"))
}

interface RayJob {
  readonly submission_id: string
  readonly status: string
  readonly driver_info?: { readonly pid: string } | null
}

export const jobs = async (): Promise<ReadonlyArray<RayJob>> => {
  const all: ReadonlyArray<RayJob> = JSON.parse(await ask("/api/jobs/"))
  return all.filter(({ submission_id: id }) => id?.startsWith("autostop-"))
}

/** Who takes part in a service, for one replica. */
export interface Parts {
  readonly actor: ActorState
  readonly job: string
  readonly worker: number
  readonly guard: number
  readonly host: number
  readonly driver: number
}

/** Those of the replica whose Node process has this id. */
export const partsOf = (host: number): Effect.Effect<Parts> =>
  Effect.promise(async () => {
    const guard = parentOf(host)
    const worker = parentOf(guard)
    const actor = (await actors()).find(({ pid, state }) => pid === worker && state === "ALIVE") ??
      assert.fail("there is no actor")
    const job = (await jobs()).find(({ submission_id: id }) => actor.name.startsWith(`${id}/`)) ??
      assert.fail("there is no job")
    const parts = { actor, job: job.submission_id, worker, guard, host, driver: Number(job.driver_info?.pid) }
    for (const pid of pidsOf(parts)) assert.isTrue(isRunning(pid))
    return parts
  })

const parentOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
}

const pidsOf = ({ driver, guard, host, worker }: Parts): ReadonlyArray<number> => [worker, guard, host, driver]

/** Waits until nothing of it runs, and sees to it that Ray says the same. */
export const nothingLeft = (parts: Parts, withinMs = 1_000): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (const pid of pidsOf(parts)) {
      yield* until(`process ${pid} of ${JSON.stringify(parts)} is gone`, () => !isRunning(pid), withinMs)
    }
    const all = (yield* Effect.promise(actors)).filter(({ name }) => name.startsWith(parts.job))
    assert.deepStrictEqual(all.filter(({ state }) => state !== "DEAD"), [])
    assert.strictEqual(all.find(({ actor_id: id }) => id === parts.actor.actor_id)?.state, "DEAD")
  })

/** Those that others have left behind. */
const known = new Set((await jobs()).map(({ submission_id: id }) => id))

/**
 * No job of a service is known to the cluster, also once it has stopped looking after them, and none of its actors is
 * there. Others use the cluster meanwhile: each file has services with names of its own.
 */
export const noJobs = (service: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* Effect.sleep(500)
    const own = `autostop-${service.replace("/", "-")}-`
    const left = (yield* Effect.promise(jobs)).filter(({ submission_id: id }) => id.startsWith(own) && !known.has(id))
    const alive = (yield* Effect.promise(actors)).filter(({ name, state }) => name.startsWith(own) && state !== "DEAD")
    assert.deepStrictEqual({ left, alive }, { left: [], alive: [] })
  })

/** Runs a Python program as another user of the cluster. */
export const python = (program: string): Effect.Effect<string> =>
  Effect.promise(async () => (await promisify(execFile)("python", ["-c", program])).stdout)
