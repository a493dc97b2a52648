import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StopReport } from "../../src/index.ts"
import { until } from "../../src/process/processGroup.ts"
import { bin, fixture, Started } from "../support/cli.ts"
import { Families, relative, root, runs } from "../support/family.ts"
import { assertNamed, reportAt, start } from "./families.ts"

const longMs = 60_000
const temporary = (name: string) => join(mkdtempSync(join(tmpdir(), "autostop-")), name)
const reportIn = (file: string) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(StopReport))(readFileSync(file, "utf8"))

/** Families that the kill of the job's group does not end. */
const escaped = () =>
  new Families([
    root({ killed: true, children: [relative({ way: "session" })] }),
    root({ by: "detached", deaf: true, children: [relative()] })
  ])

const assertGone = async ({ left }: Families) => {
  assert.strictEqual(left.length, 3)
  assert.isTrue(await until(() => !left.some(runs), longMs), `${left.filter(runs)}`)
}

const moduleOf = (name: string) => new URL(`../../dist/process/${name}.js`, import.meta.url).href

/** All cases; those that take long, or are told by others, run under stress only. */
export const ownedProcessesCases = (isLong: boolean): void => {
  const long: (name: string, body: () => Promise<void>) => void = isLong ? it : () => {}

  describe.concurrent("what a job has started ends, and is named, although", () => {
    for (const place of ["isolate", "manager"] as const) {
      ;(place === "isolate" ? it : long)(`the process of the job is killed from outside (${place})`, async () => {
        using families = escaped()
        const { report, said } = await reportAt(place, { ...families.env, THEN: "crash" })
        assertNamed(families, report, said)
      })
    }

    long("the job blocks its event loop, and is killed at its deadline", async () => {
      using families = escaped()
      const { report, run } = start("isolate", { ...families.env, THEN: "block", AUTOSTOP_DEADLINE: "500ms" })
      await run.said("families run")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3)
      assertNamed(families, report(), run.stderr)
    })

    it("the host of the service that has started it is killed", async () => {
      using families = escaped()
      const { report, said } = await reportAt("process host", { ...families.env, THEN: "crash the host" })
      assertNamed(families, report, said)
    })
  })

  const ends = () => {
    for (const then of ["wait", "block"] as const) {
      it(
        `the parent of the isolated job is killed${then === "block" ? ", and the job blocks its event loop" : ""}`,
        async () => {
          using families = escaped()
          const { run } = start("isolate", { ...families.env, THEN: then, AUTOSTOP_DEADLINE: "500ms" })
          await run.said("families run")
          run.signal("SIGKILL")
          await assertGone(families)
        }
      )
    }

    it("the process of the job is killed, and only the host that has started it is left", async () => {
      using families = escaped()
      const { run } = start("process host", { ...families.env, THEN: "crash" })
      assert.strictEqual(await run.ended(), "SIGKILL")
      await assertGone(families)
    })
  }
  if (isLong) describe.concurrent("what a job has started ends although", ends)

  describe.concurrent("a program of autostop that a job has left behind", () => {
    const nested = (killed: boolean, inner: Families) => {
      const file = temporary("nested.json")
      const checked = temporary("checked")
      const args = [bin, "run", fixture("family.ts"), "--report", file]
      const env = { THEN: "wait", CHECKED: checked, AUTOSTOP_KILL_TIMEOUT: "300ms" }
      const variables = {
        ...nobody.env,
        THEN: "nested",
        NESTED: JSON.stringify({ args, env, killed, orders: inner.orders })
      }
      return {
        checked,
        file,
        run: start("run", { ...variables, AUTOSTOP_KILL_TIMEOUT: killed ? "300ms" : "20s", AUTOSTOP_DEADLINE: "60s" })
      }
    }
    const nobody = new Families([])
    afterAll(() => nobody[Symbol.dispose]())
    const pidOf = (run: Started) => Number(/^nested (\d+)$/m.exec(run.stdout)?.[1])

    it("is asked to stop, and stops what it has started itself", async () => {
      using inner = new Families([root({ by: "detached" }), root({ killed: true, children: [relative()] })])
      const { checked, file, run: { report, run } } = nested(false, inner)
      assert.strictEqual(await run.ended(), 3, run.stderr)
      const named = report().leftovers.map(({ detail }) => detail)
      assert.isTrue(
        named.some((text) => text.startsWith(`pid ${pidOf(run)} (`) && !text.endsWith("killed")),
        `${named}`
      )
      assert.deepInclude(reportIn(file), { trigger: "signal", reason: "SIGTERM" })
      assertNamed(inner, reportIn(file), run.stderr)
      // nobody has ended them while its services were released
      assert.strictEqual(readFileSync(checked, "utf8"), "2 of 3")
    })

    it("and that is killed leaves what it has started to the job", async () => {
      using inner = escaped()
      const { run: { report, run } } = nested(true, inner)
      assert.strictEqual(await run.ended(), 3, run.stderr)
      assertNamed(inner, report(), run.stderr)
    })
  })

  describe.concurrent("a stop that waits for the end of what was left behind", () => {
    it("waits no longer once it is to stop at once", async () => {
      using families = new Families([root({ deaf: true })])
      const { report, run } = start("run", {
        ...families.env,
        AUTOSTOP_KILL_TIMEOUT: "10m",
        AUTOSTOP_DEADLINE: "20m"
      })
      await run.said("run succeeded")
      await run.signal("SIGTERM").said("SIGTERM: stopping")
      await (await run.signalAgain("SIGTERM")).ended()
      // on a machine on which the kill takes longer than a second signal leaves, there is no report, and what was left is gone
      if (run.stderr.includes("The time is up.")) return assert.deepStrictEqual(families.left.filter(runs), [])
      assertNamed(families, report(), run.stderr)
    })

    it("does not wait for a process that cannot be killed, and names it", () => {
      // nobody but root may send a signal to the first process, and it is not sent by root
      const program = `
        import { endDescendants, leftoverOf } from ${JSON.stringify(moduleOf("endDescendants"))}
        import { readProcess } from ${JSON.stringify(moduleOf("processTable"))}
        if (process.getuid() === 0) process.exit(1)
        const first = { ...readProcess(1), command: "init", owners: [] }
        console.log((await endDescendants(() => [first], { limitMs: 50 })).map((end) => leftoverOf(end).detail).join())`
      const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {}
      const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { ...uid, encoding: "utf8" })
      assert.strictEqual(run.stdout, "pid 1 (init), which does not end when it is killed\n", run.stderr)
    })
  })

  describe.concurrent("a process that was there before the job", () => {
    it("is left alone, though it is a child of the process of the job", async () => {
      const line = `sleep 1000 & echo "before $!"; exec "$0" "$@"`
      using families = new Families([root()])
      const child = spawn("sh", ["-c", line, process.execPath, bin, "run", fixture("family.ts"), "--format", "json"], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, ...families.env }
      })
      let stdout = ""
      child.stdout.on("data", (chunk: Buffer) => stdout += chunk)
      await once(child, "exit")
      const before = Number(/^before (\d+)$/m.exec(stdout)?.[1])
      assert.isTrue(runs(before))
      process.kill(before, "SIGKILL")
      await once(child, "close")
      const report = Schema.decodeUnknownSync(Schema.fromJsonString(StopReport))(stdout.trim().split("\n").at(-1) ?? "")
      assertNamed(families, report, stdout)
      assert.strictEqual(report.leftovers.length, 1)
    })
  })
}
