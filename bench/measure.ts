import { setImmediate } from "node:timers/promises"

/** The value below which a share of the values lies; 0.5 is the median. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** The steepness of the line that lies nearest to the points. */
export const slope = (points: ReadonlyArray<readonly [x: number, y: number]>): number => {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)]
  return mean((point) => (point[0] - x) * (point[1] - y)) / mean((point) => (point[0] - x) ** 2)
}

export interface Repeats {
  readonly warmUp: number
  readonly times: number
}

/** The median milliseconds of an action. What it gives is checked each time. */
export const timed = async <A>(
  { times, warmUp }: Repeats,
  expected: A,
  action: () => Promise<A>
): Promise<number> => {
  const taken: Array<number> = []
  for (let n = 0; n < warmUp + times; n++) {
    const since = performance.now()
    expect(await action(), expected)
    if (n >= warmUp) taken.push(performance.now() - since)
  }
  return median(taken)
}

/** The median nanoseconds that an action takes for each of its elements. */
export const perElement = async (elements: number, expected: number, action: () => Promise<number>) => ({
  time: await timed({ warmUp: 2, times: 3 }, expected, action) * 1_000_000 / elements
})

export const expect = <A>(actual: A, expected: A): void => {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual)}`)
}

/** The bytes in use, once what is not in use has been collected; some of it is only let go of after a few turns. */
export const heapUsed = async (): Promise<number> => {
  if (globalThis.gc === undefined) throw new Error("this needs node --expose-gc")
  for (let turn = 0; turn < 5; turn++) {
    await setImmediate()
    globalThis.gc()
  }
  return process.memoryUsage().heapUsed
}
