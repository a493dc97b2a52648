/** Submits to a job manager of jobs that do nothing, each to its report. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import type { Case, Figures } from "./case.ts"
import { read, Served } from "./manager/served.ts"
import { expect } from "./measure.ts"

/** How many processes run at once, as is the default of the command line. */
const concurrency = Math.max(4, availableParallelism())

/** The milliseconds that each of `count` actions takes, that many at once. */
const each = async (count: number, inFlight: number, action: (n: number) => Promise<void>): Promise<number> => {
  let next = 0
  const loop = async () => {
    while (next < count) await action(next++)
  }
  const since = performance.now()
  await Promise.all(Array.from({ length: inFlight }, loop))
  return (performance.now() - since) / count
}

const autostop = (count: number, inFlight: number) => async (): Promise<Figures> => {
  const served = await Served.start(concurrency)
  const act = async (id: string) => {
    await served.submit(id, "end")
    await read(served.eventsOf(id))
    expect(await served.isClean(id), true)
  }
  await act("warm-up")
  const time = await each(count, inFlight, (n) => act(`job-${n}`))
  await served.close()
  return { time }
}

const forked = (count: number, inFlight: number) => async (): Promise<Figures> => {
  const act = async () => {
    const [code] = await once(fork(new URL("./manager/effectful.ts", import.meta.url)), "exit")
    expect(code, 0)
  }
  await act()
  return { time: await each(count, Math.min(inFlight, concurrency), act) }
}

export const submits = (count: number, inFlight: number): Case => ({
  title: `submits of a job that does nothing, ${inFlight} at once, time for each of ${count} to its report ` +
    `(${concurrency} processes at once)`,
  figures: { time: "ms" },
  variants: [
    { name: "autostop serve", run: autostop(count, inFlight) },
    { name: "fork, effect", run: forked(count, inFlight) }
  ],
  targets: []
})
