/** Where the process of an isolated job begins: the same command line, supervised. */
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { entry } from "../host/entry.ts"
import { signal } from "../host/group.ts"
import type { Owner } from "../internal/owner.ts"
import type { Run } from "../internal/run.ts"
import { exitAtSignals } from "./early.ts"
import { type Asked, decodeAsked, encode, reader, type Told } from "./wire.ts"

const installed = exitAtSignals()

/** What the watchdog adds to the deadline: time to exit. */
const graceMs = 500
/** How often the supervisor is told, after the report, that the end is still at work: output may have a slow reader. */
const aliveMs = 500

/** Tells the supervisor at once, and for certain: there may be no next turn of the event loop. */
const tell = (message: Told): void => {
  try {
    writeFileSync(3, encode(message))
  } catch {
    // the supervisor is gone: the watchdog tells
  }
}

const follow = (run: Run): void => {
  const { deadline } = run.options.limits
  watchdog.postMessage(deadline + graceMs, [])
  tell({ _tag: "Limits", deadlineMs: deadline })
  run.events.listen(tell)
  run.stopped.onOpen(() => {
    if (run.result !== undefined) tell({ _tag: "Reported", report: run.result.report })
    setInterval(() => tell({ _tag: "Alive" }), aliveMs).unref()
  })
}

const supervise = (owner: Owner): void => {
  owner.onRun = (run) => {
    // what follows are jobs within this one
    owner.onRun = () => {}
    follow(run)
  }
  receive = (asked) => asked === null ? owner.lose() : owner.signalled(asked.signal, asked.count)
  for (const asked of early) receive(asked)
}

/** What was asked for before there was anybody to ask. */
const early: Array<Asked | null> = []
let receive = (asked: Asked | null): void => void early.push(asked)

const watchdog = new Worker(entry("watchdog"), { execArgv: [] })
const read = reader(decodeAsked, (asked) => receive(asked))
watchdog.on("message", (text: string | null) => {
  if (text !== null) return read(text)
  // nobody else is there to end what the job has left behind
  process.once("exit", () => signal(-process.pid, "SIGKILL"))
  receive(null)
})
// nothing of the job may begin before its end is seen to
const [{ main }] = await Promise.all([import("./main.ts"), once(watchdog, "online")])
watchdog.unref()
main(process.argv.slice(2), installed, supervise)
