import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StopReport } from "../../src/index.ts"
import { statOf, until } from "../../src/process/processGroup.ts"
import { assertClean } from "../../src/testing.ts"
import { autostop, bin, bothReleased, fates, fixture, life, politeSignals, Started } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"
import { timed } from "../support/lateness.ts"

const hosted = (env: Record<string, string>, ...args: ReadonlyArray<string>): Started =>
  new Started([bin, "run", "--isolate", fixture("hosted.ts"), "--format", "json", ...args], env)

const stuck = (env: Record<string, string>, ...args: ReadonlyArray<string>): Started =>
  new Started([bin, "run", "--isolate", fixture("stuck.ts"), "--format", "json", ...args], env)

/** The processes that the job said it is made of. */
const pids = (run: Started): ReadonlyArray<number> =>
  [...run.stdout.matchAll(/^(?:job|child|grandchild) (\d+)$/gm)].map(([, pid]) => Number(pid))

/** Returns true while a process runs. A zombie does not. */
const runs = (pid: number): boolean => !["Z", "X", undefined].includes(statOf(pid)[0])

const assertGone = (run: Started, count: number) => {
  assert.strictEqual(pids(run).length, count, run.stdout)
  assert.deepStrictEqual(pids(run).filter(runs), [])
}

/** A process that ends lets go of its output shortly before it is gone. */
const allGone = (run: Started) => until(() => !pids(run).some(runs), 10_000)

const outcomes = (report: StopReport) => report.services.map(({ name, outcome }) => `${name} ${outcome}`)

/** What a run prints, without what differs each time. */
const without = (text: string) => text.replace(/\([0-9a-f-]{36}\)/, "(id)").replace(/[\d.]+ m?s\b/g, "some time")

/** The grace beyond a deadline, the kill with its check, and the work of the processes. */
const slackMs = 2_000

/** All cases, each so many times; with one round the short ones only. */
export const isolatedRunCases = (rounds: number): void => {
  const each = (what: string, body: () => Promise<void>) =>
    it(what, async () => {
      for (let round = 0; round < rounds; round++) await body()
    })

  /** A case that takes long, or whose moment is random: it is one of those under stress only. */
  const long = rounds === 1 ? () => {} : each

  describe("autostop run --isolate: a job that is well ends as it would without", () => {
    each("succeeds with the same output", async () => {
      const run = life({ act: "end" }, "--isolate")
      const plain = life({ act: "end" })
      assert.strictEqual(await run.ended(), 0, run.stderr)
      assert.strictEqual(await plain.ended(), 0)
      assert.strictEqual(without(run.stdout), without(plain.stdout))
    })

    for (const [act, code] of [["fail", 1], ["exit", 7], ["timer", 3]] as const) {
      each(`exits with ${code} for a job that does "${act}", with its report`, async () => {
        const run = life({ act }, "--isolate", "--format", "json")
        assert.strictEqual(await run.ended(), code, run.stderr)
        assert.strictEqual(reportOn(run).clean, code !== 3)
        assert.deepStrictEqual(fates(run), bothReleased)
      })
    }

    for (const [signal, code] of politeSignals) {
      each(`stops at ${signal} and exits with ${code}`, async () => {
        const run = await life({ act: "wait" }, "--isolate", "--format", "json").said("ready")
        assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
        const report = reportOn(run)
        assertClean(report)
        assert.deepInclude(report, { trigger: "signal", reason: signal, outcome: "cancelled" })
        assert.deepStrictEqual(fates(run), bothReleased)
        assert.strictEqual(run.stderr.split("A second signal stops at once").length, 2)
      })
    }

    each("counts a signal once that comes to the job as well", async () => {
      const run = await stuck({}).said("ready")
      const [job = 0] = pids(run)
      process.kill(job, "SIGTERM")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
      assertClean(reportOn(run))
      assert.notInclude(run.stderr, "stopping at once")
    })

    each("a second signal stops at once: a release that hangs is abandoned by name", async () => {
      const run = await life({ act: "wait", close: "hang" }, "--isolate", "--format", "json", "--strategy", "patient")
        .said("ready")
      await run.signal("SIGINT").said("\"_tag\":\"ServiceReleasing\"")
      assert.strictEqual(await (await run.signalAgain("SIGINT")).ended(), 3, run.stderr)
      assert.include(run.stderr, "stopping at once")
      assert.deepStrictEqual(outcomes(reportOn(run)), ["inner released", "outer abandoned"])
    })

    long("at a random moment a signal ends it with the exact code, and what was opened is closed", async () => {
      const [signal, code] = politeSignals[Math.floor(Math.random() * politeSignals.length)] ?? assert.fail()
      const run = life({ act: "drain", open: "slow", close: "slow" }, "--isolate", "--format", "json")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_500))
      // before the first line of ours runs, the system ends the process
      assert.include([code, signal], await run.signal(signal).ended(), run.stderr)
      assert.strictEqual(run.count("closed "), run.count("opened "), run.stdout)
    })

    long("ends and reports what the job leaves behind, also what the children of its children are", async () => {
      const run = stuck({ BLOCK: "leave", FAMILY: "1" })
      assert.strictEqual(await run.ended(), 3, run.stderr)
      const named = reportOn(run).leftovers.map(({ detail }) => detail)
      for (const pid of pids(run).slice(1)) {
        assert.isTrue(named.some((text) => text.startsWith(`pid ${pid} (`)), `${named}`)
      }
      assertGone(run, 3)
    })

    long("prints all of a large output to a slow reader", async () => {
      const run = life({ act: "print" }, "--isolate")
      run.child.stdout?.pause()
      await run.said("job succeeded")
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      run.child.stdout?.resume()
      assert.strictEqual(await run.ended(), 0, run.stderr)
      assert.strictEqual(run.count("x".repeat(8 * 1024 * 1024)), 1)
      assert.include(run.stdout, "Currently Running: no; depends on inner")
    })
  })

  describe("autostop run --isolate, given bad input,", () => {
    const folder = mkdtempSync(join(tmpdir(), "autostop-"))
    const cases: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, line: RegExp]> = [
      ["a module that does not exist", ["nope.ts"], /the module nope\.ts does not exist/],
      ["a payload that is not JSON", [fixture("life.ts"), "--payload", "{act"], /--payload is not JSON/],
      ["a payload of the wrong shape", [fixture("life.ts"), "--payload", `{"act":3}`], /Expected .* at \["act"\]/],
      ["an unknown flag", [fixture("life.ts"), "--frobnicate"], /Unrecognized flag: --frobnicate/],
      ["a negative duration", [fixture("life.ts"), "--deadline=-5s"], /--deadline is "-5s"; expected a duration/],
      [
        "a limit beyond the deadline of the job",
        [fixture("minute.ts"), "--drain-timeout", "61s"],
        /--drain-timeout is 1m 1s; expected no more than deadline \(1m\)/
      ],
      [
        "a report that cannot be written",
        [fixture("life.ts"), "--report", join(folder, "no", "such", "folder.json")],
        /--report .* cannot be written/
      ]
    ]
    for (const [what, args, line] of cases) {
      it(`refuses ${what} with one clear line and exit code 2`, async () => {
        const run = autostop("run", "--isolate", ...args)
        assert.strictEqual(await run.ended(), 2, `${run.stdout}\n${run.stderr}`)
        assert.strictEqual(run.stderr.split("\n").filter((text) => line.test(text)).length, 1, run.stderr)
        assert.strictEqual(run.count("open") + run.count("ready"), 0)
      })
    }

    long("refuses a module whose load blocks the event loop, once its limit has passed", async () => {
      const run = stuck({ BLOCK: "load" }, "--start-timeout", "100ms")
      assert.strictEqual(await run.ended(), 2)
      assert.match(run.stderr, /the module .*stuck\.ts did not load within 0\.1 s/)
      assertGone(run, 1)
    })
  })

  describe("autostop run --isolate: a job whose event loop is blocked is killed", () => {
    const deadlineMs = 500
    const deadline = ["--deadline", `${deadlineMs}ms`]

    each("at the deadline after a signal, with all it started, and its services by name", async () => {
      const file = join(mkdtempSync(join(tmpdir(), "autostop-")), "report.json")
      const run = await stuck({ BLOCK: "run", FAMILY: "1" }, ...deadline, "--report", file).said("ready")
      const { ms, punctualMs, value: code } = await timed(() => run.signal("SIGTERM").ended())
      assert.strictEqual(code, 3, run.stderr)
      assert.isAtLeast(ms, deadlineMs)
      assert.isBelow(punctualMs, deadlineMs + slackMs)
      const report = reportOn(run)
      assert.deepInclude(report, {
        job: "stuck",
        trigger: "signal",
        reason: "SIGTERM",
        outcome: "cancelled",
        clean: false
      })
      assert.deepStrictEqual(outcomes(report), ["db killed", "cache killed"])
      assert.isFalse(StopReport.isClean(report))
      assert.deepStrictEqual(report.services.map(({ running }) => running), [false, false])
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["kill"])
      const [leftover] = report.leftovers
      assert.match(`${leftover?.kind}: ${leftover?.detail}`, /^process: pid \d+ was killed \(SIGKILL\) in/)
      assert.deepStrictEqual(Schema.decodeUnknownSync(StopReport)(JSON.parse(readFileSync(file, "utf8"))), report)
      assert.include(run.stderr, "service db is still running")
      assertGone(run, 3)
    })

    each("in the release: what was released before is reported as released", async () => {
      const run = await stuck({ BLOCK: "release" }, ...deadline, "--release-concurrency", "1").said("ready")
      assert.strictEqual(await run.signal("SIGINT").ended(), 3, run.stderr)
      const report = reportOn(run)
      assert.deepInclude(report, { trigger: "signal", reason: "SIGINT", outcome: "cancelled" })
      assert.include(outcomes(report), "db killed")
      assert.include(report.services.map(({ cleanupCalled }) => cleanupCalled), true)
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel", "release", "kill"])
      assertGone(run, 1)
    })

    long("when its time is over", async () => {
      const run = await stuck({ BLOCK: "run" }, ...deadline, "--after", "100ms").said("ready")
      const { punctualMs, value: code } = await timed(() => run.ended())
      assert.strictEqual(code, 3, run.stderr)
      assert.isBelow(punctualMs, 100 + deadlineMs + slackMs)
      const report = reportOn(run)
      assert.deepInclude(report, { trigger: "deadline", reason: "it ran for 100 ms", outcome: "cancelled" })
      assert.deepStrictEqual(outcomes(report), ["db killed", "cache killed"])
      assertGone(run, 1)
    })

    long("at once by a third signal", async () => {
      const run = await stuck({ BLOCK: "run" }).said("ready")
      await run.signal("SIGINT").signalAgain("SIGTERM")
      const { punctualMs, value: code } = await timed(async () => {
        await run.signalAgain("SIGHUP")
        return run.ended()
      })
      assert.strictEqual(code, 3, run.stderr)
      assert.isBelow(punctualMs, 1_000 + slackMs)
      assert.deepStrictEqual(outcomes(reportOn(run)), ["db killed", "cache killed"])
      assertGone(run, 1)
    })

    each("soon after a second signal", async () => {
      const run = await stuck({ BLOCK: "run" }).said("ready")
      const { punctualMs, value: code } = await timed(async () =>
        (await run.signal("SIGINT").signalAgain("SIGTERM")).ended()
      )
      assert.strictEqual(code, 3, run.stderr)
      assert.isBelow(punctualMs, 4_000 + slackMs)
      assertGone(run, 1)
    })

    long("when it has stopped and does not exit", async () => {
      const run = stuck({ BLOCK: "exit" })
      assert.strictEqual(await run.ended(), 3, run.stderr)
      const report = reportOn(run)
      assert.deepInclude(report, { trigger: "completed", outcome: "succeeded", clean: false })
      assert.deepStrictEqual(outcomes(report), ["db released", "cache released"])
      assert.deepStrictEqual(report.leftovers.map(({ kind }) => kind), ["process"])
      assert.include(run.stderr, "The job does not exit: its process is killed.")
      assertGone(run, 1)
    })

    it("while it loads", async () => {
      const run = await stuck({ BLOCK: "load" }, ...deadline).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
      assert.deepInclude(reportOn(run), { trigger: "signal", reason: "SIGTERM", outcome: "cancelled", services: [] })
      assertGone(run, 1)
    })

    long("with the services that live in processes of their own", async () => {
      const run = await hosted({ BLOCK: "run" }, ...deadline).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
      const [, host] = pids(run)
      const lines = reportOn(run).services.map(({ host, name, outcome, pid }) => `${name} (${host} ${pid}): ${outcome}`)
      assert.deepStrictEqual(lines, [
        `test/Echo (process ${host}): killed`,
        `test/Echo/inner (process ${host}): killed`
      ])
      assertGone(run, 2)
    })

    long("says so meanwhile, and the report for people says it too", async () => {
      const run = await new Started([bin, "run", fixture("stuck.ts"), "--isolate", "--deadline", "1500ms"], {
        BLOCK: "run"
      }).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
      assert.include(
        run.stderr,
        "SIGTERM: the job does not answer because its event loop is blocked. It is killed within 1.5 s, or at once"
      )
      assert.include(run.stderr, "The job does not stop: its process is killed.\n  service db is still running\n")
      assert.match(run.stdout, /db \(local, pid \d+\): killed/)
      assert.include(run.stdout, "NOT CLEAN")
    })
  })

  describe("autostop run --isolate: a process that is killed from outside", () => {
    for (const block of [{}, { BLOCK: "run" }]) {
      const what = "BLOCK" in block ? "a blocked job" : "a job"
      each(`${what}: its group is cleared, and it is reported lost`, async () => {
        const run = await stuck({ ...block, FAMILY: "1" }).said("ready")
        process.kill(pids(run)[0] ?? 0, "SIGKILL")
        assert.strictEqual(await run.ended(), 3, run.stderr)
        const report = reportOn(run)
        assert.deepInclude(report, { trigger: "lost", reason: "its process was ended by SIGKILL", outcome: "failed" })
        assert.deepStrictEqual(outcomes(report), ["db killed", "cache killed"])
        assert.include(run.stderr, "The process of the job was ended by SIGKILL.")
        assertGone(run, 3)
      })
    }

    each("a job with a service in a process of its own: that is released all the same", async () => {
      const released = join(mkdtempSync(join(tmpdir(), "autostop-")), "released")
      const run = await hosted({ RELEASED: released }).said("ready")
      process.kill(pids(run)[0] ?? 0, "SIGKILL")
      assert.strictEqual(await run.ended(), 3, run.stderr)
      assert.isTrue(existsSync(released))
      assertGone(run, 2)
    })

    each("its parent: the job stops within its deadline, reports, and nothing is left", async () => {
      const run = await stuck({ FAMILY: "1" }).said("ready")
      // all that holds its output has ended when that is closed
      assert.strictEqual(await run.signal("SIGKILL").ended(), "SIGKILL")
      assert.deepStrictEqual(fates(run), bothReleased)
      assert.deepInclude(reportOn(run), {
        trigger: "lost",
        reason: "its parent process has ended",
        outcome: "cancelled"
      })
      await allGone(run)
      assertGone(run, 3)
    })

    long("the parent of a blocked job: it is killed at its deadline, and nothing is left", async () => {
      const run = await stuck({ BLOCK: "run", FAMILY: "1" }, "--deadline", "500ms").said("ready")
      const { ms, punctualMs, value: ended } = await timed(() => run.signal("SIGKILL").ended())
      assert.strictEqual(ended, "SIGKILL")
      assert.isAtLeast(ms, 500)
      assert.isBelow(punctualMs, 500 + slackMs)
      await allGone(run)
      assertGone(run, 3)
    })

    long("its parent at a random moment: nothing is left", async () => {
      const run = stuck({ FAMILY: "1" })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_500))
      await run.signal("SIGKILL").ended()
      await allGone(run)
      assertGone(run, pids(run).length)
    })
  })
}
