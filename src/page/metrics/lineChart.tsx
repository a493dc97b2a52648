/** A chart of lines over time. Its text is a table of the latest numbers. */
import { useEffect, useRef } from "preact/hooks"
import uPlot, { type AlignedData } from "uplot"
import { shown } from "../parts/text.ts"
import type { Line } from "./history.ts"

/** Lines are told apart by their dashes too. */
const dashes = [[], [8, 4], [2, 3], [12, 3, 2, 3]]
const colours = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"]
const height = 200

export interface LineChartProps {
  readonly title: string
  /** The times in seconds since 1970. */
  readonly times: ReadonlyArray<number>
  readonly lines: ReadonlyArray<Line>
  /** Returns a number as text with its unit. */
  readonly text: (value: number) => string
}

export const LineChart = ({ lines, text, times, title }: LineChartProps) => (
  <section>
    <h2>{title}</h2>
    <Chart key={lines.length} lines={lines} times={times} title={title} />
    <table>
      <caption>The latest</caption>
      <tbody>
        {lines.map(({ name, values }, index) => {
          const last = values.at(-1)
          return (
            <tr key={index}>
              <th scope="row">
                <bdi>{shown(name)}</bdi>
              </th>
              <td class="number">{last === undefined || last === null ? "–" : text(last)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  </section>
)

const Chart = ({ lines, times, title }: Omit<LineChartProps, "text">) => {
  const ref = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const data = dataOf(times, lines)
  useEffect(() => {
    const element = ref.current
    if (element === null) return
    const style = getComputedStyle(element)
    const edge = style.getPropertyValue("--edge")
    const axis = { stroke: style.color, grid: { stroke: edge, width: 1 }, ticks: { show: false } }
    chart.current = new uPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { show: false },
        legend: { show: false },
        axes: [axis, axis],
        scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        series: [
          {},
          ...lines.map(({ name }, index) => ({
            label: shown(name),
            width: 2,
            stroke: style.getPropertyValue(colours[index % colours.length] ?? ""),
            dash: dashes[Math.floor(index / colours.length) % dashes.length] ?? []
          }))
        ]
      },
      data,
      element
    )
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.current?.destroy()
    }
  }, [])
  useEffect(() => chart.current?.setData(data), [times])
  return (
    <div
      ref={ref}
      class="chart"
      role="img"
      aria-label={`${title} over the last hour; the table below has the latest`}
    />
  )
}

const dataOf = (times: ReadonlyArray<number>, lines: ReadonlyArray<Line>): AlignedData => [
  [...times],
  ...lines.map(({ values }) => [...values])
]
