import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

describe("the commands for several jobs", () => {
  let server: Server
  beforeAll(async () => void (server = await Server.start(["--concurrency", "8"])))
  afterAll(() => server[Symbol.asyncDispose]())

  /** Submits without a command line, which takes a while to start. */
  const submit = (id: string, act?: "wait" | "fail") =>
    server.post("/jobs", { id, job: "greet", payload: { name: "Ada", ...(act === undefined ? {} : { act }) } })
  const waiting = async (...ids: ReadonlyArray<string>): Promise<void> => {
    await Promise.all(ids.map((id) => submit(id, "wait")))
    await Promise.all(ids.map((id) => server.logged(id, "hello Ada")))
  }
  const stopAll = (...ids: ReadonlyArray<string>) => Promise.all(ids.map((id) => server.post(`/jobs/${id}/stop`, {})))
  const idsOf = (text: string): ReadonlyArray<string> => JSON.parse(text).map(({ id }: { readonly id: string }) => id)

  it("list those that meet all conditions, and refuse what is none", async () => {
    await Promise.all([submit("list-good"), submit("list-bad", "fail")])
    await Promise.all([server.stopped("list-good"), server.stopped("list-bad")])
    const list = async (...flags: ReadonlyArray<string>) =>
      idsOf((await server.run("list", "--format", "json", "--text", "LIST-", ...flags)).stdout).toSorted()
    assert.deepStrictEqual(await list("--name", "greet", "--since", "1h"), ["list-bad", "list-good"])
    assert.deepStrictEqual(await list("--job", "greet", "--outcome", "failed", "--state", "stopped"), ["list-bad"])
    assert.deepStrictEqual(await list("--trigger", "completed"), ["list-good"])
    assert.deepStrictEqual(await list("--unclean"), [])
    const wrong = await server.run("list", "--since", "yesterday")
    assert.strictEqual(wrong.code, 2)
    assert.match(wrong.stderr, /--since: "yesterday"\. Expected: a duration such as "12h" or "7d", or a time in ISO/)
  })

  it("wait for all of them, with the exit code of the worst", async () => {
    await Promise.all([submit("wait-good"), submit("wait-bad", "fail"), waiting("wait-long")])
    const good = await server.run("wait", "wait-good")
    assert.deepStrictEqual([good.code, good.stdout], [0, "wait-good  greet  stopped  succeeded, clean"])
    await server.stopped("wait-bad")
    const late = await server.run("wait", "wait-good", "wait-bad", "wait-long", "--timeout", "0")
    assert.strictEqual(late.code, 124)
    assert.strictEqual(late.stderr, "autostop: 1 job did not stop in time: wait-long")
    const both = new Started([bin, "wait", "wait-long", "wait-bad", "--format", "json", "--url", server.url])
    // it waits for the other one once it has said what became of this
    await both.said("wait-bad")
    await stopAll("wait-long")
    assert.strictEqual(await both.ended(), 1)
    const outcomes = both.stdout.trim().split("\n").map((line) => JSON.parse(line)).map((
      { id, outcome }
    ) => [id, outcome])
    assert.deepStrictEqual(outcomes, [["wait-bad", "failed"], ["wait-long", "cancelled"]])
    const unknown = await server.run("wait", "wait-good", "wait-nobody")
    assert.strictEqual(unknown.code, 2)
    assert.include(unknown.stderr, "there is no job wait-nobody")
  })

  it("submit one again that has stopped, and no other", async () => {
    await Promise.all([submit("retry-bad", "fail"), waiting("retry-long")])
    await server.stopped("retry-bad")
    const { code, stdout } = await server.run("retry", "retry-bad", "--as", "retry-again")
    assert.deepStrictEqual([code, stdout], [0, "retry-again"])
    await server.stopped("retry-again")
    assert.include(await server.info("retry-again"), { job: "greet", outcome: "failed" })
    const early = await server.run("retry", "retry-long")
    assert.strictEqual(early.code, 2)
    assert.match(early.stderr, /job retry-long is running: it can be submitted again once it has stopped/)
    await stopAll("retry-long")
  })

  it("print the lines of a log that are wanted", async () => {
    await submit("logged-1")
    await server.stopped("logged-1")
    const logs = async (...flags: ReadonlyArray<string>) => (await server.run("logs", "logged-1", ...flags)).stdout
    assert.strictEqual(await logs("--tail", "1"), "closed voice")
    assert.strictEqual(await logs("--grep", "voice", "--since", "1h"), "opened voice\nclosed voice")
    assert.match(await logs("-f", "--tail", "2"), /^hello Ada from \d+\nclosed voice$/)
    assert.strictEqual(await logs("--since", "2999-01-01"), "")
    // a reader that comes back misses nothing
    const read = (headers: Record<string, string>) =>
      server.fetch("/jobs/logged-1/logs?tail=1", { headers }).then((answer) => answer.text())
    assert.notInclude(await read({}), "hello Ada")
    assert.include(await read({ "last-event-id": "1" }), "hello Ada")
  })

  it("stop several by their ids, with a result for each, although one is unknown", async () => {
    await waiting("stop-1", "stop-2")
    const { code, stderr, stdout } = await server.run("stop", "stop-1", "stop-nobody", "stop-2", "--format", "json")
    assert.strictEqual(code, 2)
    assert.include(stderr, "there is no job stop-nobody")
    assert.deepStrictEqual(stdout.split("\n").map((line) => JSON.parse(line).id), ["stop-1", "stop-2"])
    await Promise.all([server.stopped("stop-1"), server.stopped("stop-2")])
    assert.include(await server.info("stop-2"), { state: "stopped", trigger: "stopped" })
  })

  it("stop those that a filter finds, more than one only if that is confirmed", async () => {
    await waiting("filter-1", "filter-2")
    const filter = ["--text", "filter-", "--state", "running"]
    const unsure = await server.run("stop", ...filter)
    assert.strictEqual(unsure.code, 2)
    assert.strictEqual(
      unsure.stderr,
      "autostop: 2 jobs would be stopped; --yes stops them, and \"autostop list\" shows them"
    )
    assert.strictEqual((await server.info("filter-1")).state, "running")
    const sure = await server.run("stop", ...filter, "--yes", "--wait", "--reason", "enough")
    assert.strictEqual(sure.code, 1)
    assert.deepStrictEqual(sure.stdout.split("\n").toSorted(), [
      "filter-1  greet  stopped  cancelled, clean; stopped: enough",
      "filter-2  greet  stopped  cancelled, clean; stopped: enough"
    ])
    assert.strictEqual((await server.run("stop", ...filter)).code, 0)
    const nothing = await server.run("stop")
    assert.strictEqual(nothing.code, 2)
    assert.match(nothing.stderr, /expected the ids of jobs, or a filter \(--name, --state, /)
  })
})
