/** The history of a job: its use of the machine and its rates in the last hour, as the manager keeps them. */
import type { JobHistory } from "../api/models.ts"

/** The numbers of one line of a chart, one for each time; `null` where there is none. */
export interface Line {
  readonly name: string
  readonly values: ReadonlyArray<number | null>
}

export const noHistory: JobHistory = { stages: [], samples: [] }

/** The number of samples that are kept: those of an hour. */
const mostSamples = 720

/** Adds what has come since. A manager that has begun anew, or a job that has, sends other stages. */
export const extended = (known: JobHistory, news: JobHistory): JobHistory => {
  const isSame = known.stages.every(({ kind, name }, place) =>
    news.stages[place]?.kind === kind && news.stages[place].name === name
  )
  if (!isSame) return news
  return { stages: news.stages, samples: [...known.samples, ...news.samples].slice(-mostSamples) }
}

/** The times of the samples, in seconds since 1970. */
export const timesOf = ({ samples }: JobHistory): ReadonlyArray<number> =>
  samples.map(({ at }) => Date.parse(at) / 1_000)

/** Elements in a second, by stage. A counter that fell is one of another attempt. */
export const rateLines = ({ samples, stages }: JobHistory): ReadonlyArray<Line> =>
  stages.map(({ name }, stage) => ({
    name,
    values: samples.map(({ at, counts }, index) => {
      const before = samples[index - 1]
      const now = counts[stage]
      if (before === undefined || now === undefined) return null
      const added = now - (before.counts[stage] ?? 0)
      const seconds = (Date.parse(at) - Date.parse(before.at)) / 1_000
      return seconds <= 0 || added < 0 ? null : added / seconds
    })
  }))

/** The time that 95 % of the chunks of a stage do not exceed, in milliseconds, for the stages of which it is known. */
export const percentileLines = ({ samples, stages }: JobHistory): ReadonlyArray<Line> =>
  stages
    .map(({ name }, stage) => ({ name, values: samples.map(({ p95Ms }) => p95Ms[stage] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null))

export const cpuLines = ({ samples }: JobHistory): ReadonlyArray<Line> => [
  { name: "processor", values: samples.map(({ cpu }) => 100 * cpu) }
]

export const memoryLines = ({ samples }: JobHistory): ReadonlyArray<Line> => [
  { name: "memory", values: samples.map(({ memory }) => memory / 1_024 / 1_024) }
]

export const delayLines = ({ samples }: JobHistory): ReadonlyArray<Line> => [
  { name: "event loop", values: samples.map(({ loopDelayMs }) => loopDelayMs) }
]
