/** The history of the job in charts: the last hour of a job that runs. */
import { useEffect, useMemo, useState } from "preact/hooks"
import { millis } from "../../base/format.ts"
import type { JobHistory } from "../api/models.ts"
import { getJson, jobPath, messageOf, queryOf } from "../api/request.ts"
import { rateText } from "../parts/text.ts"
import type { OpenJob } from "../state/openJob.ts"
import * as History from "./history.ts"
import { LineChart } from "./lineChart.tsx"

/** The interval at which the manager is asked for more. */
const moreMs = 5_000

const MetricsTab = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  const { fault, history } = useHistory(job)
  // the job changes far more often than its history
  const { cpu, delays, memory, percentiles, rates, times } = useMemo(() => ({
    times: History.timesOf(history),
    rates: History.rateLines(history),
    percentiles: History.percentileLines(history),
    cpu: History.cpuLines(history),
    memory: History.memoryLines(history),
    delays: History.delayLines(history)
  }), [history])
  return (
    <div class="metrics">
      {fault !== undefined && <p class="fault" role="alert">{fault}</p>}
      {times.length === 0 && <p>{emptyText(job)}</p>}
      {times.length > 0 && (
        <>
          {rates.length > 0 && <LineChart title="Elements in a second" times={times} lines={rates} text={rateText} />}
          {percentiles.length > 0 && (
            <LineChart
              title="Milliseconds that 95 % of the chunks stay within"
              times={times}
              lines={percentiles}
              text={millis}
            />
          )}
          <LineChart
            title="Per cent of one processor"
            times={times}
            lines={cpu}
            text={(value) => `${Math.round(value)} %`}
          />
          <LineChart
            title="Memory in MiB"
            times={times}
            lines={memory}
            text={(value) => `${Math.round(value)} MiB`}
          />
          <LineChart
            title="Longest delay of the event loop in milliseconds"
            times={times}
            lines={delays}
            text={millis}
          />
        </>
      )}
    </div>
  )
}
export default MetricsTab

const emptyText = ({ info }: OpenJob): string =>
  info?.state === "stopped"
    ? "The job has stopped: its numbers were there while it ran. Its report has the counts of its stages."
    : "The first numbers come some seconds after the process of the job has begun."

/** Reads the history of a job, and what is new again and again while the job runs. What was read stays after its end. */
const useHistory = (job: OpenJob): { readonly history: JobHistory; readonly fault?: string } => {
  const [state, setState] = useState<{ readonly history: JobHistory; readonly fault?: string }>({
    history: History.noHistory
  })
  useEffect(() => {
    let known = History.noHistory
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      try {
        const after = known.samples.at(-1)?.at
        const news = await getJson<JobHistory>(
          jobPath(job.id, `/history${queryOf(after === undefined ? {} : { after })}`)
        )
        if (isOver || (news.samples.length === 0 && news.stages.length === 0)) return
        known = History.extended(known, news)
        setState({ history: known })
      } catch (error) {
        if (!isOver) setState({ history: known, fault: messageOf(error) })
      }
    }
    // the manager is asked again once it has answered: it is asked for what is new since then
    const readOn = (reading: Promise<void> | undefined): void =>
      void Promise.resolve(reading).then(() => {
        if (isOver) return
        timer = setTimeout(() => readOn(job.info?.state === "stopped" ? undefined : read()), moreMs)
      })
    readOn(read())
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [job.id])
  return state
}
