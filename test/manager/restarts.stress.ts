import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { JobEvent } from "../../src/JobEvent.ts"
import type { JobInfo } from "../../src/manager/models.ts"
import { bin, Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"

const shaky = fileURLToPath(new URL("./fixtures/shaky.ts", import.meta.url))

/** Starts a manager with the job `shaky`, and returns how to submit it. */
const start = async () => {
  const server = await Server.start(["--jobs", shaky])
  const file = join(server.folder, "attempts")
  /** Submits with the command. */
  const submit = (payload: object, ...args: ReadonlyArray<string>) =>
    server.run("submit", "shaky", "--id", "it", "--payload", JSON.stringify({ file, ...payload }), ...args)
  /** Submits over HTTP, which is faster. */
  const post = (payload: object, delayMs: number) =>
    server.post("/jobs", {
      job: "shaky",
      id: "it",
      payload: { file, ...payload },
      restart: { policy: "fixed", delayMs }
    })
  /** Waits until an attempt has printed its number. The log stays for the next manager. */
  const attempt = (n: number) => server.logged("it", `attempt ${n} in`)
  /** Returns the events of the job once it has stopped. */
  const events = async () => {
    const text = await server.ask("/jobs/it/events?follow=true")
    return [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json = ""]) => decodeEvent(JSON.parse(json)))
  }
  /** Returns the info of the job once it has been restarted this often. */
  const restarted = async (restarts: number): Promise<JobInfo> => {
    const info = await server.info("it")
    if (info.restarts === restarts) return info
    await setTimeout(20)
    return restarted(restarts)
  }
  return {
    server,
    file,
    submit,
    post,
    attempt,
    events,
    restarted,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}

const decodeEvent = Schema.decodeUnknownSync(JobEvent)
const again = ["--restart", "fixed", "--restart-delay", "50ms"]

describe("a job with a restart policy", () => {
  it("is restarted until it succeeds, and ends as its last attempt", async () => {
    await using given = await start()
    const { code, stderr, stdout } = await given.submit({ succeedsAt: 3 }, ...again, "--wait")
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /succeeded, clean/)
    assert.strictEqual(stderr.match(/begins again in 50 ms \(restart \d\)/g)?.length, 2)
    assert.include(await given.server.info("it"), { state: "stopped", outcome: "succeeded", restarts: 2 })
  })

  it("is restarted no more often than its policy says", async () => {
    await using given = await start()
    const { code } = await given.submit({}, ...again, "--restart-times", "2", "--wait")
    assert.strictEqual(code, 1)
    assert.strictEqual(readFileSync(given.file, "utf8"), "xxx")
    const events = await given.events()
    assert.strictEqual(events.filter(({ _tag }) => _tag === "JobRestarting").length, 2)
    assert.strictEqual(events.filter(({ _tag }) => _tag === "JobStopped").length, 1)
    assert.deepInclude(events.at(-1), { _tag: "JobStopped", outcome: "failed", clean: true })
  })

  it("is restarted if its process is killed", async () => {
    await using given = await start()
    await given.post({ act: "wait", succeedsAt: 2 }, 50)
    await given.attempt(1)
    process.kill((await given.server.info("it")).pid ?? assert.fail(), "SIGKILL")
    const events = await given.events()
    assert.deepInclude(events.find(({ _tag }) => _tag === "JobRestarting"), {
      trigger: "lost",
      reason: "its process was ended by SIGKILL",
      attempt: 1,
      delayMs: 50
    })
    assert.deepInclude(events.at(-1), { _tag: "JobStopped", outcome: "succeeded", clean: true })
  })

  it("is not restarted once it was stopped, also while it waits for its restart", async () => {
    await using given = await start()
    await given.post({}, 60 * 60 * 1_000)
    assert.include(await given.restarted(1), { state: "queued" })
    await given.server.post("/jobs/it/stop", { reason: "enough" })
    assert.include(await given.server.report("it"), { trigger: "stopped", reason: "enough", outcome: "cancelled" })
    assert.strictEqual(readFileSync(given.file, "utf8"), "x")
  })

  it("is restarted by the next manager, whether the one before was stopped or killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await using given = await start()
      await given.post({ act: "wait", succeedsAt: 2 }, 50)
      await given.attempt(1)
      given.server.server.signal(signal)
      await given.server.server.ended()
      await given.server.again()
      const events = await given.events()
      assert.include(events.map(({ _tag }) => _tag), "JobRestarting", signal)
      assert.deepInclude(events.at(-1), { _tag: "JobStopped", outcome: "succeeded", clean: true }, signal)
      assert.include(await given.server.info("it"), { restarts: 1, outcome: "succeeded" })
    }
  })

  it("waits for the rest of its delay with the next manager", async () => {
    await using given = await start()
    await given.post({ succeedsAt: 2 }, 5_000)
    const { restartsAt = assert.fail() } = await given.restarted(1)
    given.server.server.signal("SIGKILL")
    await given.server.server.ended()
    await given.server.again()
    assert.deepInclude((await given.events()).at(-1), { _tag: "JobStopped", outcome: "succeeded", clean: true })
    const { startedAt = "" } = await given.server.info("it")
    assert.isTrue(startedAt >= restartsAt, `${startedAt} is before ${restartsAt}`)
  })

  it("is refused if a setting cannot be used, with the name of its flag", async () => {
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

describe("a job with limits", () => {
  it("is cancelled and has failed if it uses more memory, and the manager goes on", async () => {
    await using given = await start()
    const { code, stdout } = await given.submit({ act: "leak" }, "--memory", "200 MiB", "--wait", "--format", "json")
    const report = JSON.parse(stdout)
    assert.include(report, { trigger: "failed", outcome: "failed" })
    assert.match(report.reason, /^it used \d+ MiB of memory, and its limit is 200 MiB$/)
    assert.oneOf(code, [1, 3])
    assert.strictEqual((await given.server.run("health")).stdout, "ready")
  })

  it("is stopped by its policy if it runs for longer, and killed if it blocks", async () => {
    await using given = await start()
    const waiting = await given.submit({ act: "wait" }, "--time-limit", "5s", "--wait", "--format", "json")
    assert.include(JSON.parse(waiting.stdout), {
      trigger: "deadline",
      reason: "it ran for 5000 ms, which is its limit",
      outcome: "cancelled",
      clean: true
    })
    await given.server.ask("/jobs/it", { method: "DELETE" })
    const blocked = await given.submit({ act: "block" }, "--time-limit", "5s", "--wait", "--format", "json")
    assert.strictEqual(blocked.code, 3)
    assert.include(JSON.parse(blocked.stdout), { trigger: "deadline", outcome: "cancelled", clean: false })
  })

  it("has the lower of its own limit and the manager's", async () => {
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
