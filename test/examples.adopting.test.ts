// The examples of programs that exist already: each is a process that its reader would start, request and stop.
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"
import { StopReport } from "../src/index.ts"
import { Started } from "./support/cli.ts"
import { type Postgres, startPostgres } from "./support/postgres.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const example = (name: string, env: Record<string, string> = {}) => new Started([`${root}examples/${name}.ts`], env)

/** The address that an example listens on. It prints it with one write, once it listens. */
const addressOf = async (run: Started): Promise<string> => {
  await run.said("http://127.0.0.1:")
  return /http:\/\/127\.0\.0\.1:\d+/.exec(run.stdout)?.[0] ?? assert.fail(run.stdout)
}

describe("14-launch", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-example-"))
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(async () => {
    await postgres.stop()
    rmSync(folder, { recursive: true })
  })

  it("answers, writes what it has taken at SIGTERM, and releases each of its plain layers in order", async () => {
    const path = join(folder, "report.json")
    const database = postgres.fresh()
    const run = example("14-launch", { DATABASE_URL: database, PORT: "0", AUTOSTOP_REPORT: path })
    const address = await addressOf(run)
    const visits = Array.from({ length: 100 }, (_, n) => fetch(`${address}/visits/page-${n}`, { method: "POST" }))
    for (const { status } of await Promise.all(visits)) assert.strictEqual(status, 202)
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    assert.strictEqual(run.stderr.replace(/^SIGTERM.*\n/, ""), "")
    // it divides by zero if a visit is missing
    postgres.query(database, "SELECT 1 / (count(*) = 100)::int FROM visits")

    const report: StopReport = JSON.parse(readFileSync(path, "utf8"))
    assert.isTrue(report.clean)
    assert.isTrue(report.services.every(({ managed, outcome }) => !managed && outcome === "released"))
    const needs = Object.fromEntries(report.services.map(({ dependsOn, name }) => [name, dependsOn.toSorted()]))
    const pool = "@effect/sql-pg/PgClient +1"
    assert.deepStrictEqual(needs, {
      [pool]: [],
      "app/Visits": [pool],
      "effect/http/HttpServer": [],
      "effect/Terminal": [],
      // the routes
      "layer 1": ["app/Visits", "effect/Terminal", "effect/http/HttpServer"]
    })
    // dependents first: each release that another one waits for is over before the stop is
    const tookMs = (name: string) => report.services.find((service) => service.name === name)?.releaseMs ?? NaN
    assert.isAtLeast(
      report.phases.find(({ phase }) => phase === "release")?.durationMs ?? NaN,
      tookMs(pool) + tookMs("app/Visits")
    )
  })

  it("says what it needs, and exits with 2", async () => {
    const run = example("14-launch", { DATABASE_URL: "" })
    assert.strictEqual(await run.ended(), 2)
    assert.strictEqual(run.stderr, "DATABASE_URL is not set; it names the PostgreSQL database of the visits\n")
  })
})

describe("15-inside-a-framework", () => {
  const closed = (count: number) =>
    new RegExp(`\\nthe counter closes at ${count}\\nJob greetings \\(.*\\) on local: .*, clean\\n`)

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`answers, also what it was asked before ${signal}, and disposes its runtime then`, async () => {
      const run = example("15-inside-a-framework", { PORT: "0" })
      const address = await addressOf(run)
      assert.strictEqual(await (await fetch(`${address}/Ada`)).text(), "Hello, Ada! You are number 1.\n")
      const later = fetch(`${address}/Bob?after=500`)
      // its connection is there before the next one
      assert.strictEqual((await fetch(`${address}/Eve`)).status, 200)
      run.signal(signal)
      assert.match(await (await later).text(), /^Hello, Bob! You are number \d\.\n$/)
      assert.strictEqual(await run.ended(), 0, run.stderr)
      assert.strictEqual(run.stderr, "")
      assert.match(run.stdout, closed(3))
      assert.include(run.stdout, "  app/Counter (local): released\n")
    })
  }

  it("interrupts a request that does not end", async () => {
    const run = example("15-inside-a-framework", { PORT: "0" })
    const address = await addressOf(run)
    const endless = fetch(`${address}/Bob?after=1000000`)
    assert.strictEqual((await fetch(`${address}/Eve`)).status, 200)
    run.signal("SIGTERM")
    assert.strictEqual((await endless).status, 503)
    assert.strictEqual(await run.ended(), 0, run.stderr)
    assert.match(run.stdout, closed(1))
  })
})

describe("16-leaking-layer", () => {
  const suite = (env: Record<string, string>) =>
    new Started([`${root}node_modules/vitest/vitest.mjs`, "run", "--root", `${root}examples`], env)

  it("passes", async () => {
    const run = suite({ LEAKS: "no" })
    assert.strictEqual(await run.ended(), 0, run.stdout + run.stderr)
  })

  it("fails with the name of the layer that leaks, and of no other", async () => {
    const run = suite({ LEAKS: "yes" })
    assert.strictEqual(await run.ended(), 1, run.stdout)
    assert.match(run.stderr, /did not stop clean\n\s+service app\/Feed is abandoned/)
    assert.notInclude(run.stdout + run.stderr, "app/Database")
  })
})
