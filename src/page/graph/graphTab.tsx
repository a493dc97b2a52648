/** The services of a job with what they need, and the stages of its pipelines. */
import { Graph, layout } from "@dagrejs/dagre"
import { useMemo, useState } from "preact/hooks"
import type { KnownService } from "../../jobProcess/knownParts.ts"
import { serviceStateText } from "../../jobProcess/stopText.ts"
import { shapeOf } from "../parts/marks.tsx"
import { SearchField } from "../parts/searchField.tsx"
import { StageTable } from "../parts/stageTable.tsx"
import { rateText, shortName, shown } from "../parts/text.ts"
import { useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"

/** More nodes than this are a table: nobody reads such a picture. */
const mostNodes = 100
const nodeWidth = 190
const nodeHeight = 40

type Services = ReadonlyMap<string, KnownService>

const GraphTab = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  useManagerNow(1_000)
  const services: Services = job.projection.services
  return (
    <div class="graph">
      <h2>Services</h2>
      {services.size === 0 && <p>The job has no services.</p>}
      {services.size > 0 && services.size <= mostNodes && <ServiceGraph services={services} />}
      <ServiceList services={services} />
      <Stages job={job} />
    </div>
  )
}
export default GraphTab

const ServiceGraph = ({ services }: { readonly services: Services }) => {
  const shape = [...services].map(([name, { dependsOn }]) => `${name}>${dependsOn.join()}`).join(";")
  const { edges, height, nodes, width } = useMemo(() => placed(services), [shape])
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Graph of the services; the table below has the same">
      <svg class="service-graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {edges.map(({ key, path }) => <path key={key} class="edge" d={path} marker-end="url(#arrow)" />)}
        {nodes.map(({ name, x, y }) => {
          const { isOverdue = false, state = "lost" } = services.get(name) ?? {}
          return (
            <g key={name} class={`node service ${state}${isOverdue ? " overdue" : ""}`}>
              <title>{shown(name)}</title>
              <rect x={x - nodeWidth / 2} y={y - nodeHeight / 2} width={nodeWidth} height={nodeHeight} rx={6} />
              <text x={x} y={y - 3} text-anchor="middle">{shortName(shown(name))}</text>
              <text class="state" x={x} y={y + 13} text-anchor="middle">
                {shapeOf(state)} {serviceStateText({ isOverdue, state })}
              </text>
            </g>
          )
        })}
      </svg>
    </div>
  )
}

/** Places the services: each above those that it needs. */
const placed = (services: Services) => {
  const graph = new Graph()
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 40, marginx: 12, marginy: 12 })
  graph.setDefaultEdgeLabel(() => ({}))
  // names come from a job and may be any text: the graph gets numbers in their place
  const names = [...services.keys()]
  const indexOf = new Map(names.map((name, index) => [name, String(index)]))
  for (const index of indexOf.values()) graph.setNode(index, { width: nodeWidth, height: nodeHeight })
  for (const [name, { dependsOn }] of services) {
    for (const needed of dependsOn) {
      const [from, to] = [indexOf.get(name), indexOf.get(needed)]
      if (from !== undefined && to !== undefined) graph.setEdge(from, to)
    }
  }
  layout(graph)
  const nodes = names.map((name, index) => {
    const { x = 0, y = 0 } = graph.node(String(index))
    return { name, x, y }
  })
  const ends: ReadonlyArray<{ readonly v: string; readonly w: string }> = graph.edges()
  const edges = ends.map(({ v, w }) => {
    const points: ReadonlyArray<{ readonly x: number; readonly y: number }> = graph.edge(v, w).points ?? []
    return { key: `${v}-${w}`, path: points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ") }
  })
  const { height = 100, width = 100 } = graph.graph()
  return { nodes, edges, width, height }
}

/** The text of the graph, which can be searched. */
const ServiceList = ({ services }: { readonly services: Services }) => {
  const [text, setText] = useState("")
  const listed = [...services].filter(([name]) => name.toLowerCase().includes(text.toLowerCase()))
  if (services.size === 0) return null
  return (
    <>
      <SearchField label="Search the services" placeholder="service" value={text} onText={setText} />
      <div class="scroll tall" tabIndex={0} role="group" aria-label="Table of the services">
        <table>
          <thead>
            <tr>
              <th>Service</th>
              <th>State</th>
              <th>Lives in</th>
              <th>Needs</th>
            </tr>
          </thead>
          <tbody>
            {listed.slice(0, 1_000).map(([name, { dependsOn, host, isOverdue, state }]) => (
              <tr key={name}>
                <td>
                  <bdi>{shown(name)}</bdi>
                </td>
                <td>
                  <span aria-hidden="true">{shapeOf(state)}</span> {serviceStateText({ isOverdue, state })}
                </td>
                <td>{host === undefined ? "the job" : shown(host)}</td>
                <td>
                  <bdi>{shown(dependsOn.join(", "))}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {listed.length > 1_000 && <p class="quiet">{listed.length - 1_000} more match: search for them.</p>}
    </>
  )
}

const Stages = ({ job }: { readonly job: OpenJob }) => {
  const stages = job.stages.rates(performance.now())
  const most = Math.max(...stages.map(({ rate = 0 }) => rate), 1e-9)
  return (
    <>
      <h2>Pipelines</h2>
      {stages.length === 0 ? <p>The job has no pipelines, or none that has begun.</p> : (
        <StageTable
          stages={stages}
          head={
            <th>
              <span class="hidden">Share</span>
            </th>
          }
          cell={({ name, rate }) => (
            <td>
              <meter min={0} max={most} value={rate ?? 0} aria-label={`${shown(name)}: ${rateText(rate)}`} />
            </td>
          )}
        />
      )}
    </>
  )
}
