import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { RestartSetting } from "../../../src/manager/models.ts"
import { hasFailed, restartDelay } from "../../../src/manager/jobs/restartDelay.ts"
import { notStarted } from "../../../src/manager/fallbackResult.ts"
import { type Outcome, StopReport, type Trigger } from "../../../src/StopReport.ts"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

const shaky = fileURLToPath(new URL("../fixtures/shaky.ts", import.meta.url))

describe("when a job begins again", () => {
  const delays = (restart: RestartSetting, times: ReadonlyArray<number>) =>
    Effect.runPromise(Effect.forEach(times, (now, at) => restartDelay(restart, times.slice(0, at), now)))

  it("fixed: after the same delay, so many times", async () => {
    const restart = { policy: "fixed", delayMs: 100, times: 2 } as const
    assert.deepStrictEqual(await delays(restart, [0, 1, 2, 3]), [100, 100, undefined, undefined])
  })

  it("exponential: after a delay that grows up to the longest one", async () => {
    const restart = { policy: "exponential", delayMs: 100, maxDelayMs: 350 } as const
    assert.deepStrictEqual(await delays(restart, [0, 1, 2, 3]), [100, 200, 350, 350])
  })

  it("failure-rate: until it fails too often within one interval", async () => {
    const restart = { policy: "failure-rate", failures: 2, intervalMs: 1_000, delayMs: 5 } as const
    assert.deepStrictEqual(await delays(restart, [0, 100, 1_050, 1_060]), [5, 5, 5, undefined])
  })
})

describe("a job has failed", () => {
  const ended = (trigger: Trigger, outcome: Outcome) => hasFailed(StopReport.trusted({ ...report, trigger, outcome }))
  const { report } = notStarted({ id: "it", job: "it", trigger: "failed", at: "" })

  it("where it did, or was lost, and not where it was asked to stop", () => {
    assert.isTrue(ended("failed", "failed"))
    assert.isTrue(ended("lost", "cancelled"))
    assert.isFalse(ended("lost", "succeeded"))
    for (const trigger of ["stopped", "signal", "idle", "deadline"] as const) assert.isFalse(ended(trigger, "failed"))
  })
})

/** A manager that knows the job, and how to submit it. */
const start = async () => {
  const server = await Server.start(["--jobs", shaky])
  const file = join(server.folder, "attempts")
  const submit = (payload: object, ...args: ReadonlyArray<string>) =>
    server.run("submit", "shaky", "--id", "it", "--payload", JSON.stringify({ file, ...payload }), ...args)
  /** Waits until it has said something; what it has said is there for the next manager too. */
  const attempt = (n: number) => server.logged("it", `attempt ${n} in`)
  const events = async () => (await server.run("events", "-f", "it")).stdout
  return { server, file, submit, attempt, events, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const again = ["--restart", "fixed", "--restart-delay", "50ms"]

describe("a job that asked for restarts", () => {
  it("begins again until it succeeds, and its end is that of the last attempt", async () => {
    await using given = await start()
    const { code, stderr, stdout } = await given.submit({ succeedsAt: 3 }, ...again, "--wait")
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /succeeded, clean/)
    assert.strictEqual(stderr.match(/begins again in 50 ms \(restart \d\)/g)?.length, 2)
    assert.include(await given.server.info("it"), { state: "stopped", outcome: "succeeded", restarts: 2 })
  })

  it("begins no more often than it asked for", async () => {
    await using given = await start()
    const { code } = await given.submit({}, ...again, "--restart-times", "2", "--wait")
    assert.strictEqual(code, 1)
    assert.strictEqual(readFileSync(given.file, "utf8"), "xxx")
    const events = await given.events()
    assert.strictEqual(events.match(/ job failed, clean$/gm)?.length, 1)
    assert.match(events, / job failed, clean$/)
  })

  it("begins again when its process is killed", async () => {
    await using given = await start()
    await given.submit({ act: "wait", succeedsAt: 2 }, ...again)
    await given.attempt(1)
    process.kill((await given.server.info("it")).pid ?? assert.fail(), "SIGKILL")
    assert.match(await given.events(), /its process was ended by SIGKILL; it begins again[^]*job succeeded, clean$/)
  })

  it("does not begin again once it was stopped, also while it waits", async () => {
    await using given = await start()
    await given.submit({}, "--restart", "fixed", "--restart-delay", "1h")
    const events = new Started([bin, "events", "-f", "it", "--url", given.server.url])
    await events.said("(restart 1)")
    assert.include(await given.server.info("it"), { state: "queued", restarts: 1 })
    await given.server.run("stop", "it", "--reason", "enough")
    await events.ended()
    assert.include(await given.server.report("it"), { trigger: "stopped", reason: "enough", outcome: "cancelled" })
    assert.strictEqual(readFileSync(given.file, "utf8"), "x")
  })

  it("begins again with the next manager, whether the one before was stopped or killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await using given = await start()
      await given.submit({ act: "wait", succeedsAt: 2 }, ...again)
      await given.attempt(1)
      given.server.server.signal(signal)
      await given.server.server.ended()
      await given.server.again()
      assert.match(await given.events(), /it begins again [^]*job succeeded, clean$/, signal)
      assert.include(await given.server.info("it"), { restarts: 1, outcome: "succeeded" })
    }
  })

  it("waits out its delay with the next manager", async () => {
    await using given = await start()
    const watch = new Started([bin, "watch", "--format", "json", "--url", given.server.url])
    await watch.said("Overview")
    await given.submit({ succeedsAt: 2 }, "--restart", "fixed", "--restart-delay", "5s")
    await watch.said("restartsAt")
    given.server.server.signal("SIGKILL")
    watch.signal("SIGKILL")
    await given.server.server.ended()
    const [, restartsAt = assert.fail()] = /"restartsAt":"([^"]+)"/.exec(watch.stdout) ?? []
    await given.server.again()
    assert.match(await given.events(), /job succeeded, clean$/)
    const { startedAt = "" } = await given.server.info("it")
    assert.isTrue(startedAt >= restartsAt, `${startedAt} is before ${restartsAt}`)
  })

  it("refuses a setting that is wrong, by its flag", async () => {
    await using given = await start()
    const { code, stderr } = await given.submit({}, "--restart", "fixed", "--restart-delay", "soon")
    assert.strictEqual(code, 2)
    assert.match(stderr, /^autostop: --restart-delay is "soon"; expected a duration of more than zero/)
    assert.isFalse(existsSync(given.file))
    const serve = new Started([bin, "serve", "--port", "0", "--data", given.server.folder, "--keep-age", "soon"])
    assert.strictEqual(await serve.ended(), 2)
    assert.match(serve.stderr, /^autostop: --keep-age is "soon"; expected a duration of more than zero/)
  })
})

describe("the limits of a job", () => {
  it("memory: one that takes more is cancelled, has failed, and harms nobody", async () => {
    await using given = await start()
    const { code, stdout } = await given.submit({ act: "leak" }, "--memory", "200 MiB", "--wait", "--format", "json")
    const report = JSON.parse(stdout)
    assert.include(report, { trigger: "failed", outcome: "failed" })
    assert.match(report.reason, /^it used \d+ MiB of memory, and its limit is 200 MiB$/)
    assert.oneOf(code, [1, 3])
    assert.strictEqual((await given.server.run("health")).stdout, "ready")
  })

  it("time: one that runs for longer is stopped by its policy, and killed where it blocks", async () => {
    await using given = await start()
    const waiting = await given.submit({ act: "wait" }, "--time-limit", "5s", "--wait", "--format", "json")
    assert.include(JSON.parse(waiting.stdout), {
      trigger: "deadline",
      reason: "it ran for 5000 ms, its limit",
      outcome: "cancelled",
      clean: true
    })
    await given.server.run("delete", "it")
    const blocked = await given.submit({ act: "block" }, "--time-limit", "5s", "--wait", "--format", "json")
    assert.strictEqual(blocked.code, 3)
    assert.include(JSON.parse(blocked.stdout), { trigger: "deadline", outcome: "cancelled", clean: false })
  })

  it("the lower one of the manager's and the job's holds", async () => {
    await using server = await Server.start(["--jobs", shaky, "--time-limit", "500ms"])
    const submit = (limit: string) =>
      server.run(
        "submit",
        "shaky",
        "--wait",
        "--format",
        "json",
        "--time-limit",
        limit,
        "--payload",
        JSON.stringify({ file: join(server.folder, limit), act: "wait" })
      )
    assert.include(JSON.parse((await submit("1h")).stdout).reason, "it ran for 500 ms")
    assert.include(JSON.parse((await submit("400ms")).stdout).reason, "it ran for 400 ms")
  })
})
