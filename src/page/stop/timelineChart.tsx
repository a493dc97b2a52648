/** The line of the stop, drawn: phases, a bar for each service, its limit, the deadline, and now. */
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { passedText, serviceStateText } from "../../jobProcess/stopText.ts"
import type { Report } from "../api/models.ts"
import { shapeOf } from "../parts/marks.tsx"
import { shortName, shown } from "../parts/text.ts"
import type { PicturePhase, PictureService, Stop, StopPicture } from "./stopPicture.ts"

const rowHeight = 24
const barHeight = 12
const nameWidth = 170
const outcomeWidth = 190
const headHeight = 46

interface TimelineChartProps {
  readonly picture: StopPicture
  readonly stop: Stop
  readonly lastRun: Report | undefined
}

export const TimelineChart = ({ lastRun, picture, stop }: TimelineChartProps) => {
  const ref = useRef<HTMLDivElement>(null)
  const width = useWidth(ref)
  const chart = Math.max(120, width - nameWidth - outcomeWidth)
  const height = headHeight + picture.services.length * rowHeight + 8
  const x = (ms: number) => nameWidth + (Math.min(ms, picture.spanMs) / picture.spanMs) * chart
  const { elapsedMs, limitMs } = stop.whole
  return (
    <div ref={ref} class="chart">
      <svg class="timeline" width={width} height={height} role="img" aria-label={labelOf(stop, picture)}>
        <Scale x={x} spanMs={picture.spanMs} height={height} />
        {picture.phases.map((phase) => <PhaseBar key={phase.phase} phase={phase} x={x} />)}
        {picture.services.map((service, index) => (
          <ServiceRow
            key={service.name}
            service={service}
            y={headHeight + index * rowHeight}
            x={x}
            lastMs={lastRun?.services.find(({ name }) => name === service.name)?.releaseMs}
            outcomeX={nameWidth + chart + 8}
          />
        ))}
        {stop._tag === "Stopping" && <line class="now" x1={x(elapsedMs)} x2={x(elapsedMs)} y1={14} y2={height} />}
        {limitMs !== undefined && limitMs <= picture.spanMs && (
          <>
            <line class="deadline" x1={x(limitMs)} x2={x(limitMs)} y1={14} y2={height} />
            <text class="deadline-text" x={x(limitMs) - 4} y={11} text-anchor="end">deadline</text>
          </>
        )}
      </svg>
      <p class="legend quiet">
        Bar: release · dashed: limit · ◥: passed its limit · ▏grey: the last run{lastRun === undefined &&
          " (there is none)"} · red: deadline
      </p>
    </div>
  )
}

const labelOf = (stop: Stop, { services }: StopPicture): string =>
  `Timeline of the stop: ${stop.phases.map((phase) => `${phase.phase} ${phase.state}`).join(", ")}; ` +
  `${services.length} services; the table below has the same`

type X = (ms: number) => number

const PhaseBar = ({ phase, x }: { readonly phase: PicturePhase; readonly x: X }) => {
  const width = Math.max(2, x(phase.toMs) - x(phase.fromMs))
  const text = `${phase.phase} ${passedText(phase)}${phase.state === "timed-out" ? ", timed out" : ""}`
  const limit = phase.limitMs === undefined ? undefined : x(phase.fromMs + phase.limitMs)
  return (
    <g class={`phase ${phase.phase} ${phase.state}`}>
      <title>{text}</title>
      <rect x={x(phase.fromMs)} y={18} width={width} height={18} rx={2} />
      {phase.state === "underway" && limit !== undefined && (
        <line
          class="limit"
          x1={limit}
          x2={limit}
          y1={16}
          y2={38}
        />
      )}
      {width > 7 * phase.phase.length && (
        <text x={x(phase.fromMs) + 4} y={31}>{width > 7 * text.length ? text : phase.phase}</text>
      )}
    </g>
  )
}

interface ServiceRowProps {
  readonly service: PictureService
  readonly y: number
  readonly x: X
  readonly lastMs: number | undefined
  readonly outcomeX: number
}

const ServiceRow = ({ lastMs, outcomeX, service, x, y }: ServiceRowProps) => {
  const { isOverdue, limitMs, name, release, state } = service
  const middle = y + rowHeight / 2
  const from = release === undefined ? 0 : x(release.fromMs)
  const limit = release === undefined || limitMs === undefined ? undefined : x(release.fromMs + limitMs)
  const top = middle - barHeight / 2
  return (
    <g class={`service ${state}${isOverdue ? " overdue" : ""}`}>
      <title>
        {`${shown(name)}: ${serviceStateText(service)}${release === undefined ? "" : `, ${passedText(service)}`}`}
      </title>
      <text class="service-name" x={nameWidth - 8} y={middle + 4} text-anchor="end">{shortName(shown(name))}</text>
      {/* it waits until those that depend on it are released */}
      <line class="waiting" x1={x(0)} x2={release === undefined ? x(0) + 6 : from} y1={middle} y2={middle} />
      {release !== undefined && (
        <>
          <rect class="bar" x={from} y={top} width={Math.max(2, x(release.toMs) - from)} height={barHeight} rx={2} />
          {lastMs !== undefined && (
            <rect class="last" x={x(release.fromMs + lastMs)} y={top} width={2} height={barHeight} />
          )}
          {limit !== undefined && <line class="limit" x1={limit} x2={limit} y1={top - 4} y2={top + barHeight + 4} />}
          {isOverdue && limit !== undefined && <path class="tick" d={`M${limit} ${top - 4} h9 v9 z`} />}
        </>
      )}
      <text class="outcome" x={outcomeX} y={middle + 4}>
        {shapeOf(state)} {serviceStateText(service)}
        {release === undefined ? "" : ` ${passedText(service)}`}
      </text>
    </g>
  )
}

/** Lines at round times, some eight of them. */
const Scale = ({ height, spanMs, x }: { readonly x: X; readonly spanMs: number; readonly height: number }) => {
  const steps = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    30_000,
    60_000,
    300_000,
    1_800_000,
    36e5
  ]
  const step = steps.find((ms) => spanMs / ms <= 8) ?? 864e5
  const ticks = Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => index * step)
  return (
    <g class="scale">
      {ticks.map((ms) => (
        <g key={ms}>
          <line x1={x(ms)} x2={x(ms)} y1={14} y2={height} />
          <text x={x(ms) + 2} y={11}>{step < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}</text>
        </g>
      ))}
    </g>
  )
}

const useWidth = (ref: { readonly current: HTMLElement | null }): number => {
  const [width, setWidth] = useState(900)
  useLayoutEffect(() => {
    if (ref.current === null) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 900)))
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [])
  return width
}
