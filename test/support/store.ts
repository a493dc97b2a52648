import { afterAll, assert, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { StoreError } from "../../src/manager/errors.ts"
import { JobStore, type StoredJob } from "../../src/manager/JobStore.ts"
import { JobInfo, type JobResult, type NumberedEvent } from "../../src/manager/models.ts"
import { openStore } from "../../src/manager/store/openStore.ts"
import { StopReport } from "../../src/index.ts"
import { type Postgres, startPostgres } from "./postgres.ts"

/** Runs an effect with a store that is opened before and closed after it. */
export const withStore =
  (url: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, Exclude<R, JobStore>> =>
    Effect.provide(self, openStore(url), { local: true })

/** A folder with names of databases that are not there yet. */
export const files = () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-store-"))
  let count = 0
  return {
    folder,
    fresh: () => join(folder, `${++count}.db`),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** The databases that a store works on, for a test file: they are gone when it ends. */
export const databases = () => {
  const sqlite = files()
  let started: Postgres | undefined
  beforeAll(async () => void (started = await startPostgres()))
  afterAll(async () => {
    await started?.stop()
    sqlite.remove()
  })
  const postgres = () => started ?? assert.fail("PostgreSQL has not started")
  /** Each gives the URL of an empty one, and runs SQL in it as others would. */
  const kinds = [
    {
      kind: "SQLite",
      fresh: () => sqlite.fresh(),
      query: (url: string, text: string) => {
        const database = new DatabaseSync(url)
        database.exec(text)
        database.close()
      }
    },
    {
      kind: "PostgreSQL",
      fresh: () => postgres().fresh(),
      query: (url: string, text: string) => postgres().query(url, text)
    }
  ] as const
  return { sqlite, postgres, kinds }
}

/** The time of day, by the second. */
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()

type Info = ConstructorParameters<typeof JobInfo>[0]

export const infoOf = (id: string, more: Partial<Info> = {}): JobInfo =>
  new JobInfo({ id, job: "flights", state: "queued", priority: 0, submittedAt: at(0), ...more })

export const jobOf = (id: string, more: Partial<Info> = {}, payload: StoredJob["submission"]["payload"] = null) => {
  const info = infoOf(id, more)
  return { info, submission: { id, job: info.job, payload: payload ?? null } }
}

export const stopped = (id: string, second: number, more: Partial<Info> = {}): JobInfo =>
  infoOf(id, { state: "stopped", stoppedAt: at(second), outcome: "succeeded", clean: true, ...more })

export const resultOf = (id: string, exit: JobResult["exit"] = { _tag: "Success", value: 1 }): JobResult => ({
  exit,
  report: new StopReport({
    jobId: id,
    job: "flights",
    environment: "local",
    trigger: "completed",
    outcome: "succeeded",
    clean: true,
    startedAt: at(0),
    stoppedAt: at(1),
    phases: [{ phase: "release", durationMs: 0.25, timedOut: false }],
    stages: [{ name: "rows", kind: "source", count: 3 }],
    services: [],
    leftovers: [{ kind: "fiber", detail: "\u0000 a \"name\" with 'quotes', ä and \ud800" }]
  })
})

export const eventsOf = (from: number, to: number): ReadonlyArray<NumberedEvent> =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    event: { _tag: "ServiceStarting", at: at(from + index), service: `S${from + index}` }
  }))

export const add = (...jobs: ReadonlyArray<StoredJob>) =>
  JobStore.use((store) => Effect.forEach(jobs, (job) => store.add(job)))
