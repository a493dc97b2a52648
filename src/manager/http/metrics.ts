/** What a manager tells Prometheus, in its text format. */
import type { JobState } from "../models.ts"

export const metricsText = (counts: Readonly<Record<JobState, number>>, ready: boolean): string => {
  const { heapUsed, rss } = process.memoryUsage()
  return [
    ...metric(
      "autostop_jobs",
      "The jobs that are kept, by state.",
      Object.entries(counts).map(([state, n]) => [`{state="${state}"}`, n])
    ),
    ...metric("autostop_ready", "Whether the manager takes jobs.", [["", ready ? 1 : 0]]),
    ...metric("autostop_uptime_seconds", "How long the manager has been running.", [["", process.uptime()]]),
    ...metric("process_resident_memory_bytes", "The memory that the manager's process has.", [["", rss]]),
    ...metric("nodejs_heap_size_used_bytes", "The memory that its objects take.", [["", heapUsed]]),
    ""
  ].join("\n")
}

/** All of these go up and down. */
const metric = (name: string, help: string, values: ReadonlyArray<readonly [labels: string, value: number]>) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...values.map(([labels, value]) => `${name}${labels} ${value}`)
]
