/** The stages of a job's pipelines, with the ways that elements take. */
import { millis } from "../../base/format.ts"
import { upstreamPlaces } from "../../base/stageGraph.ts"
import { StageTable } from "../parts/stageTable.tsx"
import { rateText, shown } from "../parts/text.ts"
import type { OpenJob } from "../state/openJob.ts"
import type { Shares, StageRate } from "../state/rates.ts"
import { GraphPicture, mostNodes, nodeWidth } from "./graphPicture.tsx"

export const Stages = ({ job }: { readonly job: OpenJob }) => {
  const stages = job.stages.rates(performance.now())
  return (
    <>
      <h2>Pipelines</h2>
      {stages.length === 0 ? <p>The job has no pipelines, or none that has begun.</p> : (
        <>
          <StageGraph stages={stages} />
          <StageTable
            stages={stages}
            head={
              <>
                <th class="number">95 % within</th>
                <th class="number">Held</th>
                <th>Time</th>
                <th>Takes from</th>
              </>
            }
            cell={({ held = 0, p95Ms, shares, upstream = [] }) => (
              <>
                <td class="number">{p95Ms === undefined ? "–" : millis(p95Ms)}</td>
                <td class="number">{held.toLocaleString("en")}</td>
                <td>{shares === undefined ? "–" : sharesText(shares)}</td>
                <td>
                  <bdi>{shown(upstream.join(", "))}</bdi>
                </td>
              </>
            )}
          />
        </>
      )}
    </>
  )
}

const activities = ["busy", "idle", "backpressured"] as const

const sharesText = (shares: Shares): string =>
  activities.flatMap((activity) => {
    const percent = Math.round(100 * shares[activity])
    return percent === 0 ? [] : `${percent} % ${activity}`
  }).join(", ")

/** Without an edge there is nothing to see in a picture. */
const StageGraph = ({ stages }: { readonly stages: ReadonlyArray<StageRate> }) => {
  const edges = upstreamPlaces(stages).flatMap((upstream, place) =>
    upstream.map((before): readonly [number, number] => [before, place])
  )
  if (edges.length === 0 || stages.length > mostNodes) return null
  return (
    <GraphPicture
      label="Graph of the pipelines; the table below has the same"
      nodeHeight={52}
      edges={edges}
      nodes={stages.map(({ held = 0, kind, name, p95Ms, rate, shares }) => ({
        name,
        class: `stage ${kind}`,
        note: [
          rateText(rate),
          ...(p95Ms === undefined ? [] : [`p95 ${millis(p95Ms)}`]),
          ...(held === 0 ? [] : [`${held.toLocaleString("en")} held`])
        ].join(" · "),
        extra: shares === undefined ? undefined : <ActivityBar shares={shares} />
      }))}
    />
  )
}

const barWidth = nodeWidth - 20

/** A bar whose parts are the shares of the time that a stage was busy, backpressured, and idle. */
const ActivityBar = ({ shares: { backpressured, busy } }: { readonly shares: Shares }) => (
  <g class="activity" transform="translate(10 41)">
    <rect class="idle" width={barWidth} height={5} />
    <rect class="busy" width={barWidth * busy} height={5} />
    <rect class="backpressured" x={barWidth * busy} width={barWidth * backpressured} height={5} />
  </g>
)
