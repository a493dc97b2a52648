/** The metrics of a manager in the text format of Prometheus. */
import type { JobState } from "../models.ts"

export const metricsText = (counts: Readonly<Record<JobState, number>>, ready: boolean): string => {
  const { heapUsed, rss } = process.memoryUsage()
  return [
    ...metric(
      "autostop_jobs",
      "The number of jobs in each state.",
      Object.entries(counts).map(([state, n]) => [`{state="${escaped(state)}"}`, n])
    ),
    ...metric("autostop_ready", "1 if the manager takes jobs, else 0.", [["", ready ? 1 : 0]]),
    ...metric("autostop_uptime_seconds", "The time since the start of the manager.", [["", process.uptime()]]),
    ...metric("process_resident_memory_bytes", "The resident memory of the manager's process.", [["", rss]]),
    ...metric("nodejs_heap_size_used_bytes", "The memory of the objects in its heap.", [["", heapUsed]]),
    ""
  ].join("\n")
}

/** Escapes the value of a label: the states come from the store. */
const escaped = (text: string): string => text.replace(/[\\"\n]/g, (one) => one === "\n" ? "\\n" : `\\${one}`)

/** Returns the lines of one metric. All metrics are gauges: they go up and down. */
const metric = (name: string, help: string, values: ReadonlyArray<readonly [labels: string, value: number]>) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...values.map(([labels, value]) => `${name}${labels} ${value}`)
]
