import { readFileSync } from "node:fs"
import type { Case, Figures } from "../case.ts"
import { setTimeout } from "node:timers/promises"
import { read, Served } from "../manager/served.ts"
import { slope } from "../measure.ts"

/** How many jobs run when the memory is read: each is a process. */
const counts = [8, 16, 24, 32, 40]

/** Waits until so many jobs run and the manager has written all that it knows of them. */
const running = async (served: Served, count: number): Promise<void> => {
  while (await served.metric("autostop_jobs{state=\"running\"}") < count) await setTimeout(100)
}

/** The bytes of a process: what it has to itself, and its share of what it has with others. */
const proportional = (pid: number): number => {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? []
  return Number(kilobytes) * 1_024
}

const autostop = async (): Promise<Figures> => {
  const served = await Served.start(counts.at(-1) ?? 0)
  await served.submit("warm-up", "end")
  await read(served.eventsOf("warm-up"))
  const heap: Array<readonly [number, number]> = []
  const anonymous: Array<readonly [number, number]> = []
  let job = 0
  let submitted = 0
  for (const count of counts) {
    while (submitted < count) await served.submit(`job-${submitted++}`, "wait")
    await running(served, count)
    const usage = await served.usage
    heap.push([count, usage.heap])
    if (usage.anonymous === undefined) continue
    anonymous.push([count, usage.anonymous])
    const pids = await served.pids()
    job = pids.reduce((sum, pid) => sum + proportional(pid), 0) / pids.length
  }
  await served.close()
  return { heap: slope(heap), ...(anonymous.length === 0 ? {} : { anonymous: slope(anonymous), job }) }
}

export default {
  title: `memory for each job that runs, of ${counts.join(", ")}: the manager's objects, all that it has to itself, ` +
    "and the job's own process (Linux)",
  figures: { heap: "bytes", anonymous: "bytes", job: "bytes" },
  variants: [{ name: "autostop serve", run: autostop }],
  targets: [{ figure: "job", is: "≤", limit: 35 * 1_024 * 1_024 }]
} satisfies Case
