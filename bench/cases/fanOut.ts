import { fork } from "node:child_process"
import { once } from "node:events"
import type { Case, Figures } from "../case.ts"
import { services } from "../manager/jobs.ts"
import { read, Served } from "../manager/served.ts"
import { expect } from "../measure.ts"

const watchers = 100
/** Those of its services: they start, have started, are released and gone. */
const atLeast = 4 * services

/** The events that have a number, which heartbeats do not. */
const eventsOf = (text: string): ReadonlyArray<string> => text.split(/(?<=\n\n)/).filter((event) => /^id:/m.test(event))

/** The nanoseconds for each event and watcher, from the first to the last. `begin` is called when all are connected. */
const perEvent = async (url: string, begin: () => unknown): Promise<Figures> => {
  const connected = Promise.withResolvers<void>()
  let waiting = watchers
  let first = Infinity
  const onData = () => {
    if (waiting === 0) first = Math.min(first, performance.now())
    else if (--waiting === 0) connected.resolve()
  }
  const watch = async () => eventsOf(await read(url, onData)).length
  const watching = Promise.all(Array.from({ length: watchers }, watch))
  await connected.promise
  await begin()
  const counts = await watching
  const last = performance.now()
  expect(counts.every((count) => count === counts[0] && count > atLeast), true)
  return { time: (last - first) * 1_000_000 / counts.reduce((sum, count) => sum + count, 0) }
}

const autostop = async (): Promise<Figures> => {
  const served = await Served.start(1)
  // the one that is watched waits for its place
  await served.submit("first", "wait")
  await served.submit("watched", "tell")
  const figures = await perEvent(served.eventsOf("watched"), () => served.stop("first"))
  await served.close()
  return figures
}

/** The same bytes, once they are known. */
const broadcast = async (): Promise<Figures> => {
  const served = await Served.start(1)
  await served.submit("watched", "tell")
  const events = eventsOf(await read(served.eventsOf("watched")))
  await served.close()
  const child = fork(new URL("../manager/broadcast.ts", import.meta.url))
  const [port] = await once(child, "message")
  const figures = await perEvent(`http://127.0.0.1:${port}`, () => child.send(events))
  child.kill()
  return figures
}

export default {
  title: `${watchers} watchers of a job with some ${atLeast} events: time for each event and watcher`,
  figures: { time: "ns" },
  variants: [
    { name: "autostop serve", run: autostop },
    { name: "node:http", run: broadcast }
  ],
  targets: []
} satisfies Case
