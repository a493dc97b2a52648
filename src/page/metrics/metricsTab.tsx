/** The rates of the stages, as they were since the job was opened here, at most an hour. */
import { useEffect, useRef } from "preact/hooks"
import uPlot, { type AlignedData } from "uplot"
import { rateText, shown } from "../parts/text.ts"
import { useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"
import type { StageHistory } from "../state/rates.ts"

/** Lines are told apart by their dashes too. */
const dashes = [[], [8, 4], [2, 3], [12, 3, 2, 3]]
const colours = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"]
const height = 280

const MetricsTab = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  const now = useManagerNow(1_000)
  const { stages } = job.stages
  const rates = job.stages.rates(performance.now())
  if (stages.length === 0) return <p>The job has no pipelines, or none that has begun: there are no rates.</p>
  return (
    <div class="metrics">
      <h2>Elements in a second</h2>
      <RateChart key={stages.length} job={job} now={now} />
      <table>
        <caption>Now</caption>
        <thead>
          <tr>
            <th>Stage</th>
            <th class="number">Rate</th>
          </tr>
        </thead>
        <tbody>
          {rates.map(({ name, rate }, index) => (
            <tr key={index}>
              <td>
                <bdi>{shown(name)}</bdi>
              </td>
              <td class="number">{rateText(rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
export default MetricsTab

const RateChart = ({ job, now }: { readonly job: OpenJob; readonly now: number }) => {
  const ref = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  useEffect(() => {
    const element = ref.current
    if (element === null) return
    const style = getComputedStyle(element)
    const text = style.color
    const axis = { stroke: text, grid: { stroke: style.getPropertyValue("--edge"), width: 1 }, ticks: { show: false } }
    chart.current = new uPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { show: false },
        legend: { show: false },
        axes: [axis, axis],
        series: [
          {},
          ...job.stages.stages.map(({ name }, index) => ({
            label: shown(name),
            width: 2,
            stroke: style.getPropertyValue(colours[index % colours.length] ?? ""),
            dash: dashes[Math.floor(index / colours.length) % dashes.length] ?? []
          }))
        ]
      },
      dataOf(job.stages, now),
      element
    )
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.current?.destroy()
    }
  }, [])
  useEffect(() => chart.current?.setData(dataOf(job.stages, now)), [now])
  return (
    <div
      ref={ref}
      class="rates"
      role="img"
      aria-label={`Rates of ${job.stages.stages.length} stages over the last minutes; the table below has those of now`}
    />
  )
}

/** Returns the times in seconds since 1970 on the clock of the manager, and a rate for each stage at each of them. */
const dataOf = ({ samples, stages }: StageHistory, now: number): AlignedData => {
  const offset = now - performance.now()
  const pairs = samples.slice(1).map((sample, index) => ({ sample, before: samples[index] ?? sample }))
  return [
    pairs.map(({ sample }) => (sample.atMs + offset) / 1_000),
    ...stages.map((_, stage) =>
      pairs.map(({ before, sample }) => {
        const seconds = (sample.atMs - before.atMs) / 1_000
        return seconds <= 0 ? null : ((sample.counts[stage] ?? 0) - (before.counts[stage] ?? 0)) / seconds
      })
    )
  ]
}
