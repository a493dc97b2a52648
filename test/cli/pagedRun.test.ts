import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { JobInfo } from "../../src/manager/models.ts"
import { assertClean } from "../../src/testing.ts"
import { bin, bothReleased, fates, fixture, Started } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"
import { onTerminal } from "../support/terminal.ts"

/** A job and how it is run. */
interface Given {
  readonly job: ReadonlyArray<string>
  readonly env: Record<string, string>
}

const life = (settings: Record<string, string>): Given => ({
  job: [fixture("life.ts"), "--payload", JSON.stringify({ act: "end", ...settings })],
  env: { LIFE: JSON.stringify(settings) }
})

/** `autostop run --page` of a job, with a folder for temporary files of its own. */
class Paged implements AsyncDisposable {
  readonly temporary = mkdtempSync(join(tmpdir(), "autostop-paged-"))
  readonly run: Started
  url = ""
  id = ""
  #token = ""

  constructor({ env, job }: Given, flag: "--page" | "--keep-page" = "--page") {
    this.run = new Started([bin, "run", ...job, "--format", "json", flag], { ...env, TMPDIR: this.temporary })
  }

  /** Exchanges the code in the address for a token, as a browser does. */
  async open(): Promise<this> {
    await this.run.said("to=/jobs/")
    const [, url = "", code = "", id = ""] =
      /(http:\/\/[^/]+)\/#code=([\w-]+)&to=\/jobs\/([\w-]+)/.exec(this.run.stderr) ?? assert.fail(this.run.stderr)
    this.url = url
    this.id = id
    const headers = { "content-type": "application/json" }
    const answer = await fetch(`${url}/session`, { method: "POST", headers, body: JSON.stringify({ code }) })
    const { token }: { readonly token?: string } = JSON.parse(await answer.text())
    this.#token = token ?? assert.fail("there is no token")
    return this
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" }
    return fetch(`${this.url}${path}`, { ...init, headers })
  }

  async info(): Promise<JobInfo> {
    return Schema.decodeUnknownSync(JobInfo)(await (await this.ask(`/jobs/${this.id}`)).json())
  }

  /** Asserts that nothing is left of the page once the command has ended. */
  async assertGone(): Promise<void> {
    assert.deepStrictEqual(readdirSync(this.temporary), [])
    const asked = await fetch(this.url).then(() => "it answers", (error: Error) => String(error.cause))
    assert.include(asked, "ECONNREFUSED")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.run.signal("SIGKILL")
    await this.run.ended()
    rmSync(this.temporary, { recursive: true, force: true })
  }
}

/** Reads a feed to its end, which the end of the command is. */
const readAll = async ({ body }: Response): Promise<string> => {
  let text = ""
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk
  } catch {
    // the server is gone
  }
  return text
}

describe("autostop run --page", () => {
  it("shows the stop on the page of a job manager, and ends with the job: its code, no port, no file", async () => {
    await using paged = new Paged(life({ act: "wait", close: "slow" }))
    await paged.open()
    const page = await fetch(paged.url)
    assert.include(await page.text(), "<!doctype html>")
    assert.include(page.headers.get("content-security-policy"), "default-src 'none'")
    assert.strictEqual((await fetch(`${paged.url}/jobs`)).status, 401)
    const feed = readAll(await paged.ask(`/feed?job=${paged.id}&line=0`))
    await paged.run.said("ready")
    paged.run.signal("SIGTERM")
    assert.strictEqual(await paged.run.ended(), 143, paged.run.stderr)
    const told = await feed
    for (
      const part of [
        "\"text\":\"opened inner\"",
        "\"_tag\":\"RunStarted\"",
        "\"_tag\":\"StopRequested\"",
        "\"_tag\":\"ServiceReleasing\"",
        "\"service\":\"inner\",\"outcome\":\"released\"",
        "\"text\":\"closed inner\"",
        "\"_tag\":\"JobStopped\"",
        "\"state\":\"stopped\""
      ]
    ) assert.include(told, part)
    const report = reportOn(paged.run)
    assertClean(report)
    assert.deepInclude(report, { jobId: paged.id, trigger: "signal", reason: "SIGTERM", environment: "local" })
    assert.deepStrictEqual(fates(paged.run), bothReleased)
    await paged.assertGone()
  })

  it("exits with 3 after a second signal if a release hangs, and leaves nothing of the page", async () => {
    await using paged = new Paged(life({ act: "wait", close: "hang" }))
    await paged.open()
    await paged.run.said("ready")
    paged.run.signal("SIGINT")
    await paged.run.said("ServiceReleasing")
    await paged.run.signalAgain("SIGINT")
    assert.strictEqual(await paged.run.ended(), 3, paged.run.stderr)
    const outcomes = reportOn(paged.run).services.map(({ name, outcome }) => `${name} ${outcome}`)
    assert.deepStrictEqual(outcomes, ["inner released", "outer abandoned"])
    await paged.assertGone()
  })

  it("stops the job if the page asks for it, and takes no other job", async () => {
    await using paged = new Paged(life({ act: "wait" }))
    await paged.open()
    const other = await paged.ask("/jobs", { method: "POST", body: JSON.stringify({ job: "life" }) })
    assert.strictEqual(other.status, 400)
    assert.include(await other.text(), "this one job")
    const body = JSON.stringify({ mode: "cancel", reason: "seen enough" })
    assert.strictEqual((await paged.ask(`/jobs/${paged.id}/stop`, { method: "POST", body })).status, 200)
    assert.strictEqual(await paged.run.ended(), 1, paged.run.stderr)
    assert.deepInclude(reportOn(paged.run), { trigger: "stopped", reason: "seen enough", outcome: "cancelled" })
    await paged.assertGone()
  })

  it("keeps the page after the end of the job with --keep-page, until a signal, and exits with the job's code", async () => {
    await using paged = new Paged(life({ act: "end" }), "--keep-page")
    await paged.open()
    await paged.run.said("stays until Ctrl-C")
    assertClean(reportOn(paged.run))
    assert.deepInclude(await paged.info(), { state: "stopped", outcome: "succeeded", clean: true })
    assert.strictEqual((await paged.ask(`/jobs/${paged.id}/report`)).status, 200)
    paged.run.signal("SIGINT")
    assert.strictEqual(await paged.run.ended(), 0, paged.run.stderr)
    await paged.assertGone()
  })

  it("answers while the event loop of the job is blocked, and has the report once that is killed", async () => {
    await using paged = new Paged({ job: [fixture("stuck.ts")], env: { BLOCK: "run" } }, "--keep-page")
    await paged.open()
    await paged.run.said("ready")
    assert.strictEqual((await paged.info()).state, "running")
    paged.run.signal("SIGTERM")
    await paged.run.said("its event loop is blocked")
    assert.strictEqual((await paged.info()).state, "running")
    await paged.run.signalAgain("SIGTERM")
    await paged.run.said("stays until Ctrl-C")
    assert.deepInclude(await paged.info(), { state: "stopped", clean: false })
    const report = await paged.ask(`/jobs/${paged.id}/report`)
    assert.include(await report.text(), "\"outcome\":\"killed\"")
    await paged.run.signalAgain("SIGINT")
    assert.strictEqual(await paged.run.ended(), 3, paged.run.stderr)
    await paged.assertGone()
  })

  it("is shown on a terminal as a run without it, and stopped by Ctrl-C", async () => {
    const settings = { act: "wait", close: "slow" }
    const run = onTerminal(["run", fixture("life.ts"), "--payload", JSON.stringify(settings), "--page"], {
      LIFE: JSON.stringify(settings)
    })
    await run.printedNext(/The page of the job: http:/)
    await run.printedNext(/outer +running/)
    run.type("\u0003")
    await run.printedNext(/Waiting for outer, /)
    await run.printedNext(/closed inner/)
    const { code, screen } = await run.ended()
    assert.strictEqual(code, 130, screen)
    for (const part of ["opened outer", "ready", "cancelled, clean"]) assert.include(screen, part)
  })

  it("opens no page for a job that is refused", async () => {
    await using paged = new Paged(life({ act: "fly" }))
    assert.strictEqual(await paged.run.ended(), 2)
    assert.notInclude(paged.run.stderr, "#code=")
    assert.deepStrictEqual(readdirSync(paged.temporary), [])
  })

  it("is not loaded by a run without it", async () => {
    const hook = `import { registerHooks } from "node:module"
      registerHooks({ load: (url, context, next) => (process.stderr.write("loads " + url + "\\n"), next(url, context)) })`
    const run = new Started([
      `--import=data:text/javascript,${encodeURIComponent(hook)}`,
      bin,
      "run",
      fixture("life.ts"),
      "--payload",
      "{\"act\":\"end\"}"
    ])
    assert.strictEqual(await run.ended(), 0, run.stderr)
    const loaded = run.stderr.split("\n").filter((line) => line.startsWith("loads "))
    assert.isNotEmpty(loaded.filter((line) => line.includes("isolatedRun")))
    assert.deepStrictEqual(loaded.filter((line) => /pagedRun|jobPage|manager\/(http|store)\//.test(line)), [])
  })
})
