import { assert } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { JobInfo } from "../../src/manager/models.ts"
import { Server } from "../support/cliServer.ts"

/** Sends JSON and returns the status, or 0 if there was no answer. */
const post = async (server: Server, path: string, body: object): Promise<number> => {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
  const { status, text } = await server.fetch(path, request)
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch(() => ({ status: 0, text: "" }))
  // on a busy machine a request may arrive too slowly
  if (status === 408) return post(server, path, body)
  assert.include([0, 200, 201, 409], status, text)
  return status
}

const listed = async (server: Server): Promise<ReadonlyArray<JobInfo>> =>
  Schema.decodeUnknownSync(Schema.Array(JobInfo))(await (await server.fetch("/jobs?limit=1000")).json())

/** The number of submits that are under way at a time. */
const inFlight = 8

/**
 * Sends requests for each job, for a hundred at once: the manager checks at most 256 submissions at a time, and answers a stop
 * once it is on disk, or that it is not after 5 s. Returns the answers that came.
 */
const inCrowds = async (ids: ReadonlyArray<string>, send: (id: string) => Promise<number>): Promise<Set<number>> => {
  const answers = new Set<number>()
  for (let at = 0; at < ids.length; at += 100) {
    for (const answer of await Promise.all(ids.slice(at, at + 100).map(send))) answers.add(answer)
  }
  return answers
}

/** Kills a manager in the middle of submits: it must have each job that it has answered, and run each once. */
export const killDuringSubmits = async (
  { count, killAfter }: { readonly count: number; readonly killAfter: number }
): Promise<void> => {
  await using server = await Server.start(["--concurrency", "2"])
  const ids = Array.from({ length: count }, (_, n) => `job-${n}`)
  const answered = new Set<string>()
  const submit = async (id: string) => {
    const status = await post(server, "/jobs", { id, job: "greet", payload: { name: id } })
    if (status === 201) answered.add(id)
    if (answered.size === killAfter) server.server.signal("SIGKILL")
  }
  // some are under way at any time, so that the kill falls in the middle however fast the answers come
  const waiting = [...ids]
  const client = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await submit(id)
  }
  await Promise.all(Array.from({ length: inFlight }, client))
  await server.server.ended()
  assert.isBelow(answered.size, count, "the manager was not killed in the middle")
  const before = new Set(answered)
  await server.again()
  const kept = new Set((await listed(server)).map(({ id }) => id))
  assert.deepStrictEqual([...before].filter((id) => !kept.has(id)), [])

  // submits all of them again, each twice at once: a job that exists stays the same job
  const submitAgain = (id: string) => post(server, "/jobs", { id, job: "greet", payload: { name: id } })
  const again = await inCrowds(ids.flatMap((id) => [id, id]), submitAgain)
  assert.deepStrictEqual(again, new Set([201]))
  const other = await post(server, "/jobs", { id: "job-0", job: "greet", payload: { name: "another" } })
  assert.strictEqual(other, 409)
  assert.deepStrictEqual((await listed(server)).map(({ id }) => id).toSorted(), ids.toSorted())

  // running jobs end by their own policies, queued jobs at once
  const stopped = await inCrowds(ids, (id) => post(server, `/jobs/${id}/stop`, { reason: "not needed" }))
  assert.deepStrictEqual(stopped, new Set([200]))
  await Promise.all(ids.map((id) => server.stopped(id)))
  const ended = await listed(server)
  assert.deepStrictEqual(new Set(ended.map(({ state }) => state)), new Set(["stopped"]))
  const begun = ended.filter(({ startedAt }) => startedAt !== undefined)
  assert.isAtLeast(begun.length, 2)
  const greetings = await Promise.all(begun.map(async ({ id, outcome }) => {
    const log = await (await server.fetch(`/jobs/${id}/logs`)).text()
    return { outcome, count: log.split(`hello ${id} from`).length - 1 }
  }))
  assert.isTrue(greetings.every(({ count }) => count <= 1), "one ran twice")
  // the output of the jobs that ran when the manager was killed may be lost
  assert.isAtMost(greetings.filter(({ count, outcome }) => count === 0 && outcome === "succeeded").length, 2)
  const never = ended.filter(({ startedAt }) => startedAt === undefined)
  assert.deepStrictEqual(
    new Set(never.map(({ outcome, reason }) => `${outcome}: ${reason}`)),
    new Set(["cancelled: not needed"])
  )
}
