/** An event to many watchers of a job. */
import { fork } from "node:child_process"
import { once } from "node:events"
import type { Case, Figures } from "./case.ts"
import type { Told } from "./manager/broadcast.ts"
import { pauseMs, services } from "./manager/jobs.ts"
import { measured, read, Served, usageOf } from "./manager/served.ts"
import type { Usage } from "./manager/usage.ts"
import { expect, median } from "./measure.ts"

/** The events reach one watcher first, and then so many more: what each of those adds is measured. */
const more = 100
/** Those of its services: they start, have started, are released and gone. */
const atLeast = 4 * services

/** The events that have a number, which heartbeats do not. */
const eventsOf = (text: string): ReadonlyArray<string> => text.split(/(?<=\n\n)/).filter((event) => /^id:/m.test(event))

interface Watched {
  readonly events: number
  /** The milliseconds from the first event of a service to the last event. */
  readonly ms: number
  /** The processor time of the server meanwhile. */
  readonly cpu: number
}

/** `begin` is called when all are connected. */
const watched = async (
  watchers: number,
  url: string,
  usage: () => Promise<Usage>,
  begin: () => unknown
): Promise<Watched> => {
  const connected = Promise.withResolvers<void>()
  let waiting = watchers
  let first = Infinity
  const onData = (text: string) => {
    if (waiting > 0 && --waiting === 0) connected.resolve()
    if (text.includes("\"ServiceStarting\"")) first = Math.min(first, performance.now())
  }
  const watching = Promise.all(Array.from({ length: watchers }, async () => eventsOf(await read(url, onData)).length))
  await connected.promise
  const { cpu } = await usage()
  await begin()
  const [events = 0, ...others] = await watching
  const last = performance.now()
  expect(others.every((count) => count === events) && events > atLeast, true)
  return { events, ms: last - first, cpu: (await usage()).cpu - cpu }
}

/** The nanoseconds that each event to each further watcher takes: of all, and of the server's processor time. */
const perEvent = async (watch: (name: string, watchers: number) => Promise<Watched>): Promise<Figures> => {
  await watch("warm-up", more)
  const pairs: Array<readonly [Watched, Watched]> = []
  for (let n = 1; n <= 3; n++) pairs.push([await watch(`one-${n}`, 1), await watch(`many-${n}`, 1 + more)])
  const nanoseconds = (of: (watched: Watched) => number): number =>
    median(pairs.map(([one, many]) => (of(many) - of(one)) * 1_000_000 / (more * many.events)))
  return { time: nanoseconds(({ ms }) => ms), cpu: nanoseconds(({ cpu }) => cpu) }
}

type Pace = "tell" | "trickle"

const autostop = (pace: Pace) => async (): Promise<Figures> => {
  const served = await Served.start(1)
  const figures = await perEvent(async (name, watchers) => {
    // the job that is watched waits for its place
    await served.submit(`before-${name}`, "wait")
    await served.submit(name, pace)
    return watched(watchers, served.eventsOf(name), () => served.usage, () => served.stop(`before-${name}`))
  })
  await served.close()
  return figures
}

/** The same bytes, once they are known. */
const broadcast = (pace: Pace) => async (): Promise<Figures> => {
  const served = await Served.start(1)
  await served.submit("watched", pace)
  const told: Told = {
    events: eventsOf(await read(served.eventsOf("watched"))),
    pauseMs: pace === "trickle" ? pauseMs : 0
  }
  await served.close()
  const child = fork(new URL("./manager/broadcast.ts", import.meta.url), { execArgv: measured })
  const [port] = await once(child, "message")
  const figures = await perEvent((_, watchers) =>
    watched(watchers, `http://127.0.0.1:${port}`, () => usageOf(child), () => child.send(told))
  )
  child.kill()
  return figures
}

export const fanOut = (pace: Pace, title: string): Case => ({
  title: `a job with some ${atLeast} events, ${title}: what each of ${more} further watchers adds, for each event`,
  figures: { time: "ns", cpu: "ns" },
  variants: [
    { name: "autostop serve", run: autostop(pace) },
    { name: "node:http", run: broadcast(pace) }
  ],
  targets: [{ figure: "cpu", peer: "node:http", is: "≤", limit: 1.1 }]
})
