/** The stages of a job's pipelines, with the ways that elements take. */
import { upstreamPlaces } from "../../base/stageGraph.ts"
import { StageTable } from "../parts/stageTable.tsx"
import { rateText, shown } from "../parts/text.ts"
import type { OpenJob } from "../state/openJob.ts"
import type { StageRate } from "../state/rates.ts"
import { GraphPicture, mostNodes } from "./graphPicture.tsx"

export const Stages = ({ job }: { readonly job: OpenJob }) => {
  const stages = job.stages.rates(performance.now())
  const most = Math.max(...stages.map(({ rate = 0 }) => rate), 1e-9)
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
                <th>
                  <span class="hidden">Share</span>
                </th>
                <th>Takes from</th>
              </>
            }
            cell={({ name, rate, upstream = [] }) => (
              <>
                <td>
                  <meter min={0} max={most} value={rate ?? 0} aria-label={`${shown(name)}: ${rateText(rate)}`} />
                </td>
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

/** Without an edge there is nothing to see in a picture. */
const StageGraph = ({ stages }: { readonly stages: ReadonlyArray<StageRate> }) => {
  const edges = upstreamPlaces(stages).flatMap((upstream, place) =>
    upstream.map((before): readonly [number, number] => [before, place])
  )
  if (edges.length === 0 || stages.length > mostNodes) return null
  return (
    <GraphPicture
      label="Graph of the pipelines; the table below has the same"
      nodeHeight={40}
      edges={edges}
      nodes={stages.map(({ kind, name, rate }) => ({
        name,
        class: `stage ${kind}`,
        note: `${kind}, ${rateText(rate)}`
      }))}
    />
  )
}
