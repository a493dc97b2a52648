import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assertClean } from "../../../src/testing.ts"
import { autostop, bothReleased, fates, fixture, isAlive, life, Started } from "../../support/cli.ts"
import { reportOn } from "../../support/report.ts"

describe("autostop run", () => {
  it("exits with 0 for a job that succeeded, clean", async () => {
    const run = life({ act: "end" }, "--format", "json")
    assert.strictEqual(await run.ended(), 0, run.stderr)
    const report = reportOn(run)
    assertClean(report)
    assert.strictEqual(report.trigger, "completed")
    assert.deepStrictEqual(report.services.map(({ dependsOn, name }) => ({ name, dependsOn })), [
      { name: "inner", dependsOn: [] },
      { name: "outer", dependsOn: ["inner"] }
    ])
    assert.deepStrictEqual(fates(run), bothReleased)
  })

  for (const act of ["fail", "die", "throw", "reject"]) {
    it(`exits with 1 for a job that ${act}s, and releases its services`, async () => {
      const run = life({ act }, "--format", "json")
      assert.strictEqual(await run.ended(), 1, run.stderr)
      const report = reportOn(run)
      assertClean(report)
      assert.deepInclude(report, { trigger: "failed", outcome: "failed" })
      assert.deepStrictEqual(fates(run), bothReleased)
    })
  }

  it("exits with the code of a process.exit in the job, after its services are released", async () => {
    const run = life({ act: "exit" }, "--format", "json")
    assert.strictEqual(await run.ended(), 7, run.stderr)
    assert.strictEqual(reportOn(run).reason, "process.exit(7) was called")
    assert.deepStrictEqual(fates(run), bothReleased)
  })

  it("exits with 1 for a service that cannot start, says why, and releases those that had started", async () => {
    const run = life({ open: "fail" }, "--format", "json")
    assert.strictEqual(await run.ended(), 1, run.stderr)
    const report = reportOn(run)
    assert.include(report.reason, "no connection")
    assert.deepStrictEqual(report.services.map((service) => service.outcome), ["released", "start-failed"])
    assert.isTrue(report.clean)
    assert.strictEqual(run.count("ready"), 0)
  })

  it("exits with 3 for a service whose release hangs, names it, and releases the others", async () => {
    const run = life({ close: "hang" }, "--release-timeout", "200ms")
    assert.strictEqual(await run.ended(), 3)
    assert.include(run.stderr, "outer abandoned")
    assert.include(run.stdout, "NOT CLEAN")
    assert.deepStrictEqual(fates(run), { opened: 2, closed: 1 })
  })

  for (const close of ["fail", "die"]) {
    it(`exits with 3 for a service whose release ${close}s`, async () => {
      const run = life({ close }, "--format", "json")
      assert.strictEqual(await run.ended(), 3)
      const outcomes = reportOn(run).services.map(({ error, outcome }) => `${outcome}: ${error}`)
      assert.deepStrictEqual(outcomes, ["release-failed: close broke", "release-failed: close broke"])
    })
  }

  for (
    const [act, left] of [["timer", "a timer"], ["busy", "a timer"], ["worker", "a worker thread"], [
      "server",
      "a server listening on 127.0.0.1:"
    ]]
  ) {
    it(`exits with 3 although a ${act} is left open, and names it`, async () => {
      const run = life({ act: act ?? "" }, "--format", "json")
      assert.strictEqual(await run.ended(), 3, run.stderr)
      const report = reportOn(run)
      assert.strictEqual(report.leftovers.length, 1)
      assert.include(report.leftovers[0]?.detail, left)
      assert.deepStrictEqual(fates(run), bothReleased)
    })
  }

  it("exits with 3 for a child process left behind, names it, and kills it", async () => {
    const run = life({ act: "child" }, "--format", "json")
    assert.strictEqual(await run.ended(), 3, run.stderr)
    const pid = Number(/^child (\d+)$/m.exec(run.stdout)?.[1])
    const [left] = reportOn(run).leftovers
    assert.deepStrictEqual(left, { kind: "child-process", detail: `pid ${pid} (sleep 1000)` })
    assert.isFalse(isAlive(pid))
  })

  it("prints all of a large output to a slow reader", async () => {
    const run = life({ act: "print" })
    run.child.stdout?.pause()
    await run.said("job succeeded")
    run.child.stdout?.resume()
    assert.strictEqual(await run.ended(), 0)
    assert.strictEqual(run.count("x".repeat(8 * 1024 * 1024)), 1)
    assert.include(run.stdout, "Currently Running: no; depends on inner")
  })
})

describe("autostop run, given bad input,", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-"))
  const module = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const payload = ["--payload", `{"act":"end"}`]
  const cases: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, line: RegExp]> = [
    ["a module that does not exist", ["nope.ts"], /the module nope\.ts does not exist/],
    ["a module without a job", [module("none.mjs", "export const x = 1")], /exports no job; expected "export default/],
    [
      "a module that throws while loading",
      [module("throws.mjs", "throw new TypeError('bad config')")],
      /could not be loaded: TypeError: bad config/
    ],
    ["a module with a syntax error", [module("syntax.mjs", "export default (")], /could not be loaded: SyntaxError/],
    ["a payload that is not JSON", [fixture("life.ts"), "--payload", "{act"], /--payload is not JSON/],
    [
      "a payload file that does not exist",
      [fixture("life.ts"), "--payload", "@nope.json"],
      /--payload @nope\.json cannot be read: ENOENT/
    ],
    ["a payload of the wrong shape", [fixture("life.ts"), "--payload", `{"act":3}`], /Expected .* at \["act"\]/],
    ["a payload that is missing", [fixture("life.ts")], /at \["act"\]/],
    ["an unknown flag", [fixture("life.ts"), ...payload, "--frobnicate"], /Unrecognized flag: --frobnicate/],
    [
      "an unknown strategy",
      [fixture("life.ts"), ...payload, "--strategy", "rude"],
      /--strategy is "rude"; expected one of graceful/
    ],
    [
      "a negative duration",
      [fixture("life.ts"), ...payload, "--deadline=-5s"],
      /--deadline is "-5s"; expected a duration/
    ],
    [
      "no duration",
      [fixture("life.ts"), ...payload, "--drain-timeout", "soon"],
      /--drain-timeout is "soon"; expected a duration/
    ],
    [
      "a limit beyond the deadline",
      [fixture("life.ts"), ...payload, "--deadline", "5s", "--drain-timeout", "10s"],
      /--drain-timeout is 10s; expected no more than --deadline \(5s\)/
    ],
    [
      "a limit beyond the deadline of the job",
      [fixture("minute.ts"), "--drain-timeout", "61s"],
      /--drain-timeout is 1m 1s; expected no more than deadline \(1m\)/
    ],
    [
      "a deadline that a limit of the job does not fit into",
      [fixture("minute.ts"), "--deadline", "5s"],
      /drainTimeout is 40s; expected no more than --deadline \(5s\)/
    ],
    [
      "a concurrency of none",
      [fixture("life.ts"), ...payload, "--release-concurrency", "0"],
      /--release-concurrency is "0"; expected a whole number of at least 1/
    ],
    [
      "an idle of nothing",
      [fixture("life.ts"), ...payload, "--idle", "0"],
      /--idle is "0"; expected a duration of more/
    ],
    [
      "two kinds of autostop",
      [fixture("life.ts"), ...payload, "--idle", "1s", "--after", "1s"],
      /--idle and --after cannot be combined/
    ],
    [
      "a report that cannot be written",
      [fixture("life.ts"), ...payload, "--report", join(folder, "no", "such", "folder.json")],
      /--report .* cannot be written/
    ]
  ]
  for (const [what, args, line] of cases) {
    it(`refuses ${what} with one clear line and exit code 2, and starts nothing`, async () => {
      const run = autostop("run", ...args)
      assert.strictEqual(await run.ended(), 2, `${run.stdout}\n${run.stderr}`)
      assert.match(run.stderr, line)
      assert.strictEqual(run.count("open") + run.count("ready"), 0)
      assert.strictEqual(run.stderr.split("\n").filter((text) => line.test(text)).length, 1)
    })
  }

  it("refuses a variable that is no duration, by its name", async () => {
    const run = new Started([...autostopArgs, fixture("life.ts"), ...payload], { AUTOSTOP_DEADLINE: "tomorrow" })
    assert.strictEqual(await run.ended(), 2)
    assert.match(run.stderr, /AUTOSTOP_DEADLINE is "tomorrow"; expected a duration/)
  })

  it("refuses a variable that is longer than the deadline, by its name", async () => {
    const run = new Started([...autostopArgs, fixture("life.ts"), ...payload], { AUTOSTOP_DRAIN_TIMEOUT: "50s" })
    assert.strictEqual(await run.ended(), 2)
    assert.strictEqual(
      run.stderr,
      "autostop: AUTOSTOP_DRAIN_TIMEOUT is 50s; expected no more than deadline (25s), which all phases share\n"
    )
    assert.strictEqual(run.count("open"), 0)
  })

  it("writes the report to a file, the same as on its output", async () => {
    const file = join(folder, "report.json")
    const run = life({ act: "end" }, "--format", "json", "--report", file)
    assert.strictEqual(await run.ended(), 0)
    assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(JSON.stringify(reportOn(run))))
    rmSync(folder, { recursive: true })
  })
})

describe("a limit", () => {
  const flag = ["--drain-timeout", "50s"]
  const variable = { AUTOSTOP_DRAIN_TIMEOUT: "50s" }
  const payload = ["--payload", `{"act":"end"}`]
  const cases: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, env?: Record<string, string>]> = [
    ["a flag, with the deadline of a variable", [fixture("life.ts"), ...payload, ...flag], {
      AUTOSTOP_DEADLINE: "60s"
    }],
    ["a flag, with the deadline of the job", [fixture("minute.ts"), ...flag]],
    ["a variable, with the deadline of the job", [fixture("minute.ts")], { AUTOSTOP_CANCEL_TIMEOUT: "50s" }],
    ["a variable, with the deadline of a flag", [fixture("life.ts"), ...payload, "--deadline", "60s"], variable],
    [
      "a variable, with a strategy that has no limits",
      [fixture("life.ts"), ...payload, "--strategy", "patient"],
      variable
    ]
  ]
  for (const [what, args, env] of cases) {
    it(`of ${what} is held against the deadline that the job has in the end`, async () => {
      const run = new Started([...autostopArgs, ...args], env)
      assert.strictEqual(await run.ended(), 0, run.stderr)
      assert.strictEqual(run.count("ready"), 1)
    })
  }

  it("of a variable is held against the deadline of the job in a program of its own", async () => {
    const run = new Started([fixture("main.ts"), "minute"], { AUTOSTOP_CANCEL_TIMEOUT: "50s" })
    assert.strictEqual(await run.ended(), 0, run.stderr)
    assert.strictEqual(run.count("ready"), 1)
  })

  it("of a variable is not refused in a program of its own without jobs, because it limits no stop", async () => {
    const run = new Started([fixture("main.ts"), "fail"], variable)
    assert.strictEqual(await run.ended(), 1, run.stderr)
    assert.include(run.stderr, "the program failed")
  })

  it("of a variable that does not fit is refused with exit code 2 in a program of its own", async () => {
    const run = new Started([fixture("main.ts"), "minute"], { AUTOSTOP_CANCEL_TIMEOUT: "61s" })
    assert.strictEqual(await run.ended(), 2, run.stderr)
    assert.match(run.stderr, /^autostop: AUTOSTOP_CANCEL_TIMEOUT is 1m 1s; expected no more than deadline \(1m\)/)
    assert.strictEqual(run.count("ready"), 0)
  })
})

const autostopArgs = [autostop("--version").child.spawnargs[1] ?? "", "run"]
