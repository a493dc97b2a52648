import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Host, StopReport } from "../../src/index.ts"
import { Started } from "../support/cli.ts"
import { temporaryFolder } from "../support/folder.ts"
import type { RemoteKind } from "../support/hosts.ts"
import { serviceOf } from "../support/jobs.ts"
import type { Crash } from "./services/crash.ts"
import type { Crashed, Orders } from "./services/crash.main.ts"

const program = fileURLToPath(new URL("./services/crash.main.ts", import.meta.url))

/** A crash in its host, without the place of its journal. */
export type Case = Pick<Crash, "event" | "moment">

export const nameOf = ({ event, moment }: Case): string => `${event} at ${moment}`

/** The text that tells of each event, wherever it is reported. */
const texts: { readonly [E in Crash["event"]]: RegExp } = {
  exception: /nobody catches this/,
  rejection: /nobody catches this/,
  exit: /process\.exit\(9\) was called/,
  timer: /nobody catches this/,
  overflow: /Maximum call stack size exceeded/,
  memory: /reaching memory limit|was ended by SIGABRT/
}

/** Returns true if a release calls `process.exit`, which throws. */
const exitsInRelease = ({ event, moment }: Case): boolean => event === "exit" && moment === "release"

/** What became of one crash. */
interface Outcome {
  readonly result: Crashed | undefined
  /** The services beneath that were acquired, and released. */
  readonly acquired: number
  readonly released: number
  /** How the process of the job ended. */
  readonly code: number | string | null
}

/** Runs a job for each case, all in one process. */
export const crash = (host: Host.HostKind, cases: ReadonlyArray<Case>, restarts = false) =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const crashes = cases.map((one): Crash => ({ ...one, journal: join(folder, nameOf(one).replaceAll(" ", "-")) }))
    const orders: Orders = { host, restarts, crashes }
    const memory = cases.some(({ event }) => event === "memory") ? ["--max-heap-size=80"] : []
    const run = new Started([...memory, program, JSON.stringify(orders)])
    const code = yield* Effect.promise(() => run.ended())
    // safe: the program prints nothing else that begins so
    const results = run.stdout.split("\n").filter((line) => line.startsWith("{")).map((l) => JSON.parse(l) as Crashed)
    return new Map(crashes.map((crash): [string, Outcome] => {
      const journal = existsSync(crash.journal) ? readFileSync(crash.journal, "utf8").trim().split("\n") : []
      const count = (what: string) => journal.filter((line) => line === what).length
      const result = results.find(({ crash: { journal } }) => journal === crash.journal)
      return [nameOf(crash), { result, acquired: count("acquired"), released: count("released"), code }]
    }))
  }))

const beneath = (report: StopReport) => serviceOf(report, "test/Crashing/test/Beneath")

/** Checks what must hold for a host that is not in process, in every case. */
export const assertReported = (host: RemoteKind, { event, moment }: Case, outcome: Outcome): void => {
  const text = texts[event]
  const { acquired, released, result = assert.fail("nothing was reported") } = outcome
  const { call, error, events, report } = result
  const line = serviceOf(report, "test/Crashing")
  const canRelease = event !== "memory"
  // a release that calls `process.exit` ends there: the call throws
  const fails = exitsInRelease({ event, moment })
  const [hasStarted, hasAcquired] = [!["load", "start"].includes(moment), moment !== "load"]

  // what was acquired is released if the code of the host can still run, and the report says so
  assert.strictEqual(acquired, hasAcquired ? 1 : 0)
  assert.strictEqual(released, hasAcquired && canRelease && !fails ? 1 : 0)
  assert.strictEqual(report.clean, !hasAcquired || (canRelease && !fails))
  if (hasAcquired) {
    const { cleanupCompleted, error, outcome, running } = beneath(report)
    assert.deepStrictEqual({ cleanupCompleted, outcome, running }, {
      cleanupCompleted: canRelease && !fails,
      outcome: fails ? "release-failed" : canRelease ? "released" : "killed",
      running: false
    })
    if (!canRelease || fails) assert.match(error ?? "", text)
  }
  // its line says what happened, or that of the release that has failed
  if (!fails) assert.match(line.error ?? "", text, JSON.stringify(line))
  assert.strictEqual(line.running, false)
  assert.strictEqual(line.outcome, !hasStarted ? "start-failed" : canRelease ? "released" : "release-failed")
  assert.deepStrictEqual(report.leftovers, [])
  // the job fails, unless it was over
  if (moment === "release") return assert.strictEqual(error, undefined)
  assert.deepInclude(error, { _tag: "ServiceError", phase: hasStarted ? "run" : "start" })
  assert.match(error?.text ?? "", text)
  if (!hasStarted) return
  assert.include(events, "HostLost", host)
  // the call in flight fails
  assert.strictEqual(call?.reason, "lost")
  assert.match(call?.text ?? "", text)
}

/** Checks what must hold if the host is replaced: the job succeeds, and what the first host did not release is told. */
export const assertReplaced = ({ event }: Case, { acquired, released, result }: Outcome): void => {
  if (result === undefined) return assert.fail("nothing was reported")
  const { call, error, events, report } = result
  const canRelease = event !== "memory"
  assert.strictEqual(error, undefined)
  assert.deepStrictEqual({ acquired, released }, { acquired: 2, released: canRelease ? 2 : 1 })
  assert.include(events, "HostRestarting")
  assert.strictEqual(call?.reason, "lost")
  assert.deepInclude(serviceOf(report, "test/Crashing"), { outcome: "released", restarts: 1 })
  assert.strictEqual(report.clean, canRelease)
  assert.strictEqual(beneath(report).outcome, canRelease ? "released" : "killed")
  if (!canRelease) assert.match(beneath(report).error ?? "", texts[event])
}

/** Checks what must hold in process: all is released, the call is interrupted, and the exit code says what happened. */
export const assertStopped = ({ event, moment }: Case, { acquired, code, released, result }: Outcome): void => {
  // the process is gone, and nobody is left who could report
  if (event === "memory") return assert.include([134, "SIGABRT"], code)
  const { error, report } = result ?? assert.fail("nothing was reported")
  const fails = exitsInRelease({ event, moment })
  const hasAcquired = moment !== "load"
  assert.strictEqual(acquired, hasAcquired ? 1 : 0)
  assert.strictEqual(released, hasAcquired && !fails ? 1 : 0)
  assert.strictEqual(report.clean, !fails)
  assert.strictEqual(code, fails ? 3 : event === "exit" ? 9 : 1)
  if (moment !== "release") assert.match(error?.text ?? "", texts[event])
}
