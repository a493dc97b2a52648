import type { Case, Figures } from "../case.ts"
import { read, Served } from "../manager/served.ts"
import { setTimeout } from "node:timers/promises"

/** Each of them is a process: all of them take some 15 GiB. */
const count = Number(process.env["BENCH_JOBS"] ?? 200)

const autostop = async (): Promise<Figures> => {
  const served = await Served.start(count)
  const rss = () => served.metric("process_resident_memory_bytes")
  await served.submit("warm-up", "end")
  await read(served.eventsOf("warm-up"))
  // what starting it took is let go of by then, as far as it ever is
  await setTimeout(2_000)
  const before = await rss()
  for (let n = 0; n < count; n++) await served.submit(`job-${n}`, "wait")
  while (await served.metric("autostop_jobs{state=\"running\"}") < count) await setTimeout(500)
  await setTimeout(2_000)
  const memory = (await rss() - before) / count
  await served.close()
  return { memory }
}

export default {
  title: `memory of the manager for each of ${count} jobs that run`,
  figures: { memory: "bytes" },
  variants: [{ name: "autostop serve", run: autostop }],
  targets: []
} satisfies Case
