import { assert, describe, it } from "@effect/vitest"
import { Environment, LocalEnvironment } from "autostop"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { namesWhatFailed, sendsWhatItHas } from "../examples/07-test-your-service.ts"
import { dataset } from "../examples/flights/datasets.ts"
import flights from "../examples/flights/flights.ts"
import { bin, Started } from "./support/cli.ts"
import { Lateness } from "./support/lateness.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs an example with an empty environment, so that nothing changes its output. */
const run = (name: string): Effect.Effect<Result> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [`examples/${name}.ts`], { cwd: root, env: {}, stdio: "pipe" })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Checks the exit code and returns the lines of the output, with ids, times and ports replaced. */
const ended = ({ code, stderr, stdout }: Result, expected = 0): Array<string> => {
  assert.deepStrictEqual({ code, stderr }, { code: expected, stderr: "" }, stdout)
  return stdout
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/(?<="\w+Ms": )[\d.]+/g, "0")
    .replaceAll(/\b\d+(\.\d+)? ?m?s\b/g, "TIME")
    .replaceAll(/(?<=127\.0\.0\.1:)\d+/g, "PORT")
    // the columns of a table are as wide as their longest duration
    .replaceAll(/(?<=\S) +/g, " ")
    .trimEnd()
    .split("\n")
}

/** The lines of a service that was released. */
const released = (name: string, used: string, host = "local") => [
  `  ${name} (${host}): released`,
  "    Initialized: yes (TIME)",
  `    Used: ${used}`,
  "    Cleanup Called: yes",
  "    Cleanup Completed: yes (TIME)",
  "    Currently Running: no"
]

describe("examples", () => {
  it("are numbered, short, and say how to run them", () => {
    const files = readdirSync(`${root}/examples`).filter((file) => file.endsWith(".ts")).toSorted()
    assert.isAtLeast(files.length, 9)
    for (const [at, file] of files.entries()) {
      const lines = readFileSync(`${root}/examples/${file}`, "utf8").trimEnd().split("\n")
      assert.strictEqual(Number(file.slice(0, 2)), at + 1, file)
      assert.isBelow(lines.length, 60, file)
      const head = lines.slice(0, lines.findIndex((line) => !line.startsWith("//"))).join("\n")
      const commands = file.endsWith(".test.ts")
        ? ["npx vitest run --root examples"]
        : [`node examples/${file}`, `npx autostop run examples/${file}`]
      assert.isTrue(commands.some((command) => head.includes(command)), file)
    }
    for (const file of readdirSync(`${root}/examples/primes`)) {
      assert.isBelow(readFileSync(`${root}/examples/primes/${file}`, "utf8").split("\n").length, 60, file)
    }
  })

  it.live("01 greets everyone, closes the greeter, and prints the report", () =>
    Effect.map(run("01-local"), (result) =>
      assert.deepStrictEqual(ended(result), [
        "greeter: opened",
        "Hello, Ada!",
        "Hello, Grace!",
        "Hello, Barbara!",
        "greeter: closed",
        "Job greetings (ID) on local: succeeded, clean",
        "Trigger: completed; TIME in all",
        "Phases:",
        "  release TIME",
        "Stages:",
        "  names source 3",
        "  mapParallel 1 mapParallel 3",
        "  greeted stage 3",
        "Services:",
        ...released("examples/Greeter", "3 calls")
      ])))

  it.live("02 releases dependents before their dependencies, and siblings at once", () =>
    Effect.map(run("02-service-graph"), (result) => {
      const lines = ended(result)
      // siblings have no order among themselves
      for (const at of [1, 7, 9, 14]) lines.splice(at, 2, ...lines.slice(at, at + 2).toSorted())
      assert.deepStrictEqual(lines, [
        "Database: open",
        "Cache: open",
        "Search: open",
        "Api: open",
        "row 7",
        "Api: closing",
        "Api: closed",
        "Cache: closing",
        "Search: closing",
        "Cache: closed",
        "Search: closed",
        "Database: closing",
        "Database: closed",
        "Database depends on nothing",
        "Cache depends on Database",
        "Search depends on Database",
        "Api depends on Cache, Search"
      ])
    }))

  it.live("03 delivers all that was emitted before the services go", () =>
    Effect.map(run("03-drain-a-stream"), (result) => {
      const count = /^source feed: (\d+)/m.exec(result.stdout)?.[1] ?? assert.fail(result.stdout)
      assert.isAtLeast(Number(count), 100)
      assert.deepStrictEqual(ended(result), [
        `the warehouse closes with ${count} rows`,
        `source feed: ${count} elements, 0 dropped`,
        `mapParallel enriched: ${count} elements, 0 dropped`,
        "succeeded, stopped because a hundred rows are enough"
      ])
    }))

  it.live("17 acknowledges every message that was delivered, after SIGTERM", () =>
    Effect.map(
      Effect.promise(async () => {
        const run = new Started([bin, "run", join(root, "examples/17-message-queue.ts")])
        await run.said("the first message was delivered")
        return { code: await run.signal("SIGTERM").ended(), run }
      }),
      ({ code, run }) => {
        assert.strictEqual(code, 143, run.stderr)
        const [, delivered, acked] = /^the broker closes: (\d+) delivered, (\d+) acknowledged$/m.exec(run.stdout) ?? []
        assert.isAtLeast(Number(delivered), 1)
        assert.strictEqual(acked, delivered)
        assert.include(run.stdout, "on local: succeeded, clean")
      }
    ))

  it.live("18 lets the images end that were begun, and begins no others", () =>
    Effect.map(run("18-units-of-work"), (result) => {
      const begun = /^(\d+) begun/m.exec(result.stdout)?.[1] ?? assert.fail(result.stdout)
      assert.isAtLeast(Number(begun), 10)
      assert.deepStrictEqual(ended(result), [
        `${begun} begun, ${begun} done`,
        `unit image: ${begun} done, 0 cut off`,
        "phases: drain"
      ])
    }))

  it.live("04 exits with 3, names the service that hangs, and releases the others within the deadline", () =>
    Effect.scoped(Effect.gen(function*() {
      const lateness = yield* Effect.acquireRelease(
        Effect.sync(() => new Lateness()),
        (lateness) => Effect.sync(() => lateness.stop())
      )
      const result = yield* run("04-stop-policy")
      const took = Number(/^the stop took (\d+) ms/m.exec(result.stdout)?.[1])
      // The limit of the service that hangs is 200 ms, the deadline of the policy 2 s.
      assert.isAtLeast(took, 190)
      assert.isBelow(took - lateness.ms, 2_000, result.stdout)
      assert.deepStrictEqual(ended(result, 3).map((line) => line.replace(/(?<=ticks source )\d+$/, "N")), [
        "refused: releaseTimeout is TIME; expected no more than deadline (TIME), which all phases share",
        "broker: waiting for a goodbye",
        "metrics: sent",
        "database: closed",
        "the stop took TIME of TIME",
        "Job policies (ID) on local: cancelled, NOT CLEAN",
        "Trigger: deadline (it ran for TIME); TIME in all",
        "Phases:",
        "  cancel TIME",
        "  release TIME timed out",
        "  kill TIME",
        "Stages:",
        "  ticks source N",
        "Services:",
        ...released("database", "not countable"),
        "  broker (local): abandoned",
        "    Initialized: yes (TIME)",
        "    Used: not countable",
        "    Cleanup Called: yes",
        "    Cleanup Completed: no (TIME)",
        "    Currently Running: yes; depends on database",
        ...released("metrics", "not countable")
      ])
    })))

  it.live("05 serves while the job runs, and has closed its port once the job has stopped", () =>
    Effect.map(run("05-adopt-a-layer"), (result) =>
      assert.deepStrictEqual(ended(result), [
        "while the job runs: 200 Hello from the job",
        "http: released",
        "after it stopped: Error: connect ECONNREFUSED 127.0.0.1:PORT"
      ])))

  it.live("06 prints each event, then the report as JSON and for people", () =>
    Effect.map(run("06-report-and-events"), (result) => {
      const lines = ended(result)
      const [start, end] = [lines.indexOf("{"), lines.indexOf("}") + 1]
      const [happened, json, table] = [lines.slice(0, start), lines.slice(start, end), lines.slice(end)]
      // an event is printed soon after it happened: only what led to it is certain to stand before it
      assert.deepStrictEqual(happened.filter((line) => !line.startsWith(" ")), [
        "JobSubmitted",
        "ServiceStarting Ledger",
        "ServiceStarted Ledger",
        "RunStarted",
        "RunEnded",
        "StopRequested",
        "PhaseStarted release",
        "ServiceReleasing Ledger",
        "ServiceStopped Ledger",
        "PhaseEnded release",
        "JobStopped"
      ])
      assert.deepStrictEqual(happened.filter((line) => line.startsWith(" ") || /^(RunE|ServiceSto)/.test(line)), [
        "  the ledger is at 1",
        "  the ledger is at 3",
        "  the ledger is at 6",
        "RunEnded",
        "  the ledger closes at 6",
        "ServiceStopped Ledger"
      ])
      assert.deepStrictEqual(JSON.parse(json.join("\n")), {
        jobId: "ID",
        job: "report",
        environment: "local",
        trigger: "completed",
        outcome: "succeeded",
        clean: true,
        startedAt: "TIME",
        stoppedAt: "TIME",
        phases: [{ phase: "release", durationMs: 0, timedOut: false }],
        stages: [{ name: "amounts", kind: "source", count: 3 }],
        services: [{
          name: "Ledger",
          host: "local",
          managed: true,
          initialized: true,
          used: 3,
          cleanupCalled: true,
          cleanupCompleted: true,
          running: false,
          outcome: "released",
          startMs: 0,
          releaseMs: 0,
          dependsOn: []
        }],
        leftovers: []
      })
      assert.deepStrictEqual(table, [
        "Job report (ID) on local: succeeded, clean",
        "Trigger: completed; TIME in all",
        "Phases:",
        "  release TIME",
        "Stages:",
        "  amounts source 3",
        "Services:",
        ...released("Ledger", "3 calls")
      ])
    }))

  it.live("07 passes with plain node", () =>
    Effect.map(run("07-test-your-service"), (result) =>
      assert.deepStrictEqual(ended(result), [
        "ok: the outbox sends what it has before its connection closes",
        "ok: a connection that fails to close is named, and keeps no letter from being sent"
      ])))

  it.effect("07 passes here too: the outbox sends what it has", () => sendsWhatItHas)
  it.effect("07 passes here too: a connection that fails to close is named", () => namesWhatFailed)

  it.live("08 calls a service in another process, and reports it and the services beneath it", () =>
    Effect.map(run("08-service-in-a-process"), (result) => {
      const [, own, other] = /process (\d+)\n[^]*process, pid (\d+)\)/.exec(result.stdout) ?? []
      assert.notStrictEqual(own, other, result.stdout)
      assert.throws(() => process.kill(Number(other), 0), /ESRCH/)
      assert.deepStrictEqual(ended(result).map((line) => line.replace(/(?<=process |pid )\d+/, "PID")), [
        "this is process PID",
        "78498 primes up to a million",
        "the first: 2 3 5 7 11 13 17 19 23 29",
        "a billion is too large: 100000000 is the limit",
        "Job primes (ID) on local: succeeded, clean",
        "Trigger: completed; TIME in all",
        "Phases:",
        "  release TIME",
        "Services:",
        ...released("examples/Primes", "3 calls", "process, pid PID"),
        ...released("examples/Primes/Table", "not countable", "process")
      ])
    }))

  it.live("10 runs the same program at a job manager", () =>
    Effect.map(run("10-remote"), (result) => {
      assert.deepStrictEqual(ended(result), [
        "ServiceStarted examples/Voice",
        "ServiceStopped examples/Voice",
        "hello Ada, as the manager says",
        "Job greet (ID) on remote: succeeded, clean",
        "Trigger: completed; TIME in all",
        "Phases:",
        "  release TIME",
        "Services:",
        ...released("examples/Voice", "1 call"),
        "nobody: Fail"
      ])
    }))

  it.live("11 has several jobs, tokens, and an HTTP API", () =>
    Effect.map(run("11-register-jobs"), (result) => {
      assert.deepStrictEqual(ended(result), [
        "1000, hello Ada",
        "registered: [ 'greet', 'count' ] by state: { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 2 }",
        "{\"_tag\":\"Unauthorized\",\"message\":\"the manager does not know this token: send one that it was started with\"}"
      ])
    }))

  it.live("13 brings along a job that the manager does not have, which is restarted, and may do little there", () =>
    Effect.map(run("13-bring-a-job"), (result) => {
      assert.deepStrictEqual(ended(result), [
        "enough, and the last attempt was succeeded",
        "it may not read that"
      ])
    }))

  it.live("09 counts on all cores, and shows its progress", () =>
    Effect.map(run("09-replicas"), (result) => {
      const lines = ended(result)
      const at = lines.findIndex((line) => !/^[█░]{40}$/.test(line))
      assert.deepStrictEqual(lines.slice(0, at), [...new Set(lines.slice(0, at))].toSorted().toReversed())
      assert.deepStrictEqual(lines.slice(at, at + 2), [
        "283146 primes up to 4000000",
        "examples/Primes: 40 calls, released"
      ])
      const calls = lines.slice(at + 2).map((line) =>
        Number(/^examples\/Primes\[\d+\]: (\d+) calls, released$/.exec(line)?.[1])
      )
      if (availableParallelism() === 1) return assert.isEmpty(calls)
      assert.lengthOf(calls, availableParallelism())
      assert.strictEqual(calls.reduce((sum, count) => sum + count), 40)
    }))

  it.live("the flights job gives the same result in all hosts", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "flights-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const runIn = Effect.fnUntraced(function*(host: string) {
        const database = join(folder, `${host}.sqlite`)
        const payload = { path: dataset("flights-20k.json"), database, format: "json", minFlights: 20 } as const
        const run = yield* Environment.submit(flights, payload)
        const { exit, report } = yield* run.result
        assert.isTrue(report.clean)
        const used = report.services.filter(({ name }) => name.startsWith("flights/Intervals"))
        assert.deepStrictEqual([...new Set(used.map((service) => service.host))], [host])
        assert.strictEqual(used[0]?.used, 10)
        return yield* exit
      })
      const runWith = (host: string) =>
        Effect.provideService(
          runIn(host),
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env: { AUTOSTOP_HOST: host } })
        )
      const local = yield* runWith("local")
      assert.strictEqual(local.flights, 20_000)
      assert.lengthOf(local.worstRoutes, 10)
      for (const { interval, meanDelay } of local.worstRoutes) {
        assert.isTrue(interval.low < meanDelay && meanDelay < interval.high)
      }
      assert.deepStrictEqual(yield* runWith("thread"), local)
      assert.deepStrictEqual(yield* runWith("process"), local)
    }).pipe(Effect.provide(LocalEnvironment.layer)))
})
