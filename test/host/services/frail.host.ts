import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { isMainThread, parentPort, threadId } from "node:worker_threads"
import { Host, Service } from "../../../src/index.ts"
import { Frail, HostJournal, planOf } from "./frail.ts"

const plan = planOf(import.meta.url)
const record = (what: string, pid?: number) => HostJournal.write(plan.journal, what, pid)
const spin = (): never => {
  while (true);
}
/** Ends the host without a cleanup: a thread as its owner does that asks it to exit. */
const end = (): void => {
  if (isMainThread) process.kill(process.pid, "SIGKILL")
  else parentPort?.emit("message", null)
}
const times = (what: string) =>
  plan.journal === undefined ? 0 : readFileSync(plan.journal, "utf8").split(`${what} `).length - 1

/** Returns true for the first host that asks. */
const isFirst = (what: string): boolean => {
  try {
    writeFileSync(`${plan.journal}.${what}`, "", { flag: "wx" })
    return true
  } catch {
    return false
  }
}

const go = (how: "fails" | "hangs" | "spins" | "ends" | "second" | "once" | undefined, what: string) =>
  Effect.suspend((): Effect.Effect<void> => {
    record(what)
    if (how === "fails" || (how === "second" && times(what) > 1)) return Effect.die(new Error(`the ${what} is stuck`))
    if (how === "hangs") return Effect.never
    if (how === "spins") spin()
    if (how === "ends") return Effect.andThen(Effect.sync(end), Effect.never)
    if (how === "once") return isFirst(what) ? Effect.andThen(Effect.sync(end), Effect.never) : Effect.sleep(500)
    return Effect.void
  })

const startChild = (): void => {
  if (plan.child === "own") {
    const { pid } = spawn("sleep", ["1000"], { stdio: "ignore" })
    record("child", pid)
  } else if (plan.child === "orphan") {
    const { stdout } = spawnSync("sh", ["-c", "sleep 1000 >/dev/null 2>&1 & echo $!"], { encoding: "utf8" })
    record("child", Number(stdout))
  }
}

/** The service beneath the handlers. Its fiber runs until it is broken. */
class Pump extends Context.Service<Pump, { readonly break: Effect.Effect<void> }>()("test/Pump") {}
const pump = Service.layer(
  Pump,
  Effect.gen(function*() {
    if (plan.stubborn === true) process.on("SIGTERM", () => {})
    if (plan.says !== undefined) process.stderr.write(`${plan.says}\n`)
    startChild()
    yield* Effect.acquireRelease(
      go(plan.start, "start"),
      () => Effect.tap(go(plan.release, "release"), () => Effect.sync(() => record("released")))
    )
    const broken = yield* Deferred.make<never>()
    yield* Effect.forkScoped(Deferred.await(broken))
    if (plan.lifeMs !== undefined) setTimeout(end, plan.lifeMs)
    return { break: Effect.asVoid(Deferred.die(broken, new Error("the pump is broken"))) }
  })
)

const handlers = Frail.group.toLayer(Effect.gen(function*() {
  const { break: breakPump } = yield* Pump
  const hanging: Array<Deferred.Deferred<void>> = Array.from({ length: 10 }, () => Deferred.makeUnsafe())
  let calls = 0
  const hang = Effect.suspend(() => {
    const entered = hanging[calls++]
    return Effect.andThen(entered === undefined ? Effect.void : Deferred.succeed(entered, undefined), Effect.never)
  })
  const who = `${process.pid}/${threadId}`
  return Frail.group.of({
    who: () => Effect.succeed(who),
    pid: () => Effect.succeed(process.pid),
    hang: () => hang,
    linger: () =>
      Effect.onInterrupt(hang, () => Effect.andThen(Effect.sleep(200), Effect.sync(() => record("finalized")))),
    hangOnce: () =>
      Effect.suspend(() => {
        record("asked")
        return times("asked") === 1 ? hang : Effect.succeed(who)
      }),
    hanging: ({ calls }) =>
      Effect.forEach(hanging.slice(0, calls), (entered) => Deferred.await(entered), { discard: true }),
    slow: ({ ms }) => Effect.sleep(ms),
    three: () => Stream.concat(Stream.range(1, 3), Stream.never),
    spin: () =>
      Effect.sync(() => {
        record("spin")
        spin()
      }),
    end: () => Effect.andThen(Effect.sync(end), Effect.never),
    exit: ({ code }) => Effect.sync(() => process.exit(code)),
    crash: () =>
      Effect.andThen(
        Effect.sync(() =>
          setImmediate(() => {
            throw new Error("nobody catches this")
          })
        ),
        Effect.never
      ),
    big: ({ bytes }) => Effect.sync(() => new Uint8Array(bytes).map((_, place) => place % 251)),
    print: ({ lines }) =>
      Effect.gen(function*() {
        for (let line = 0; line < lines; line++) {
          process.stdout.write(`out ${line} ${"o".repeat(200)}\n`)
          process.stderr.write(`err ${line} ${"e".repeat(200)}\n`)
          if (line % 100 === 0) yield* Effect.yieldNow
        }
        return lines
      }),
    breakPump: () => breakPump
  })
}))

export default Host.serve(Frail, Layer.provide(handlers, pump))
