/** A graph as a picture: nodes with their names and states, placed by their edges. */
import { Graph, layout } from "@dagrejs/dagre"
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import { shortName, shown } from "../parts/text.ts"

/** More nodes than this are a table: nobody reads such a picture. */
export const mostNodes = 100
export const nodeWidth = 190

export interface GraphNode {
  readonly name: string
  readonly class: string
  /** The line beneath its name. */
  readonly note: ComponentChildren
  /** What is drawn beneath that line, within the width of the node. */
  readonly extra?: ComponentChildren
}

interface GraphPictureProps {
  readonly label: string
  readonly nodes: ReadonlyArray<GraphNode>
  /** The places of two nodes in their list: an arrow leads from the first to the second. */
  readonly edges: ReadonlyArray<readonly [from: number, to: number]>
  readonly nodeHeight: number
}

export const GraphPicture = ({ edges, label, nodeHeight, nodes }: GraphPictureProps) => {
  const shape = `${nodes.length} ${edges.join(";")}`
  const picture = useMemo(() => placed(nodes.length, edges, nodeHeight), [shape, nodeHeight])
  const { height, width } = picture
  const arrow = `arrow-${label.replaceAll(/\W/g, "")}`
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <svg class="service-graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        <defs>
          <marker id={arrow} viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path class="arrow" d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {picture.edges.map(({ key, path }) => <path key={key} class="edge" d={path} marker-end={`url(#${arrow})`} />)}
        {nodes.map((node, place) => {
          const { x, y } = picture.nodes[place] ?? { x: 0, y: 0 }
          return (
            <g
              key={place}
              class={`node ${node.class}`}
              transform={`translate(${x - nodeWidth / 2} ${y - nodeHeight / 2})`}
            >
              <title>{shown(node.name)}</title>
              <rect class="box" width={nodeWidth} height={nodeHeight} rx={6} />
              <text x={nodeWidth / 2} y={17} text-anchor="middle">{shortName(shown(node.name))}</text>
              <text class="state" x={nodeWidth / 2} y={33} text-anchor="middle">{node.note}</text>
              {node.extra}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

/** Places nodes, each above those that its arrows lead to. Names may be any text: the graph knows numbers alone. */
const placed = (count: number, links: GraphPictureProps["edges"], nodeHeight: number) => {
  const graph = new Graph()
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 40, marginx: 12, marginy: 12 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (let node = 0; node < count; node++) graph.setNode(String(node), { width: nodeWidth, height: nodeHeight })
  for (const [from, to] of links) graph.setEdge(String(from), String(to))
  layout(graph)
  const nodes = Array.from({ length: count }, (_, node) => {
    const { x = 0, y = 0 } = graph.node(String(node))
    return { x, y }
  })
  const ends: ReadonlyArray<{ readonly v: string; readonly w: string }> = graph.edges()
  const edges = ends.map(({ v, w }) => {
    const points: ReadonlyArray<{ readonly x: number; readonly y: number }> = graph.edge(v, w).points ?? []
    return { key: `${v}-${w}`, path: points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ") }
  })
  const { height = 100, width = 100 } = graph.graph()
  return { nodes, edges, width, height }
}
