// Runs the cases, each variant in fresh processes, in turn with its peers:
// `node bench/main.ts [--case NAME]… [--rounds N] [--against REVISION] [--json]`
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { compareCase, type Comparison, renderComparison, withRevision } from "./against.ts"
import type { Case, Figures, Target } from "./case.ts"
import { caseNames, loadCase } from "./cases.ts"
import { median } from "./measure.ts"
import { here, measure, progress } from "./processes.ts"
import { digits, table } from "./table.ts"

interface Measured {
  readonly variant: string
  readonly figure: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  /** The first variant's median divided by this one's. */
  readonly ratio: number | undefined
}

interface Verdict extends Target {
  readonly value: number
  readonly reached: boolean
}

interface Outcome {
  readonly case: string
  readonly title: string
  readonly figures: ReadonlyArray<Measured>
  readonly targets: ReadonlyArray<Verdict>
}

/** Every variant once, then every variant again: what else the machine does falls on all of them alike. */
const runCase = async (
  name: string,
  { figures, node = [], targets, title, variants }: Case,
  rounds: number
): Promise<Outcome> => {
  const taken = new Map<string, Array<Figures>>()
  const able = variants.filter(({ lacks }) => lacks?.() === undefined)
  for (let round = 1; round <= rounds; round++) {
    for (const variant of able) {
      progress(`${name}: round ${round} of ${rounds}, ${variant.name}`)
      taken.set(variant.name, [...taken.get(variant.name) ?? [], await measure(here, name, variant.name, node)])
    }
  }
  progress("")
  for (const lack of new Set(variants.flatMap(({ lacks }) => lacks?.() ?? []))) console.error(`${name}: ${lack}`)
  const medianOf = (variant: string, figure: string) => median(valuesOf(variant, figure))
  const valuesOf = (variant: string, figure: string) =>
    (taken.get(variant) ?? []).flatMap((figures) => figures[figure] ?? [])
  const [ours] = variants
  return {
    case: name,
    title,
    figures: Object.entries(figures).flatMap(([figure, unit]) =>
      variants.flatMap((variant): Array<Measured> => {
        const values = valuesOf(variant.name, figure)
        if (values.length === 0) return []
        const own = median(values)
        const ratio = variant === ours ? undefined : medianOf(ours.name, figure) / own
        const [min, max] = [Math.min(...values), Math.max(...values)]
        return [{ variant: variant.name, figure, unit, median: own, min, max, ratio }]
      })
    ),
    targets: targets.map((target) => {
      const own = medianOf(ours.name, target.figure)
      const value = target.peer === undefined ? own : own / medianOf(target.peer, target.figure)
      return { ...target, value, reached: isReached(target, value) }
    })
  }
}

const isReached = ({ is, limit }: Target, value: number): boolean =>
  is === "=" ? value === limit : is === "<" ? value < limit : value <= limit

const render = ({ figures, targets, title, ...outcome }: Outcome): string => {
  const [ours] = figures
  const rows = figures.map((measured) => {
    const { figure, max, median, min, ratio, unit, variant } = measured
    const target = targets.find((target) => target.figure === figure && (target.peer ?? ours?.variant) === variant)
    const times = target?.peer === undefined ? "" : "×"
    return [
      figure,
      variant,
      `${digits(median)} ${unit}`,
      `${digits(min)} … ${digits(max)}`,
      ratio === undefined ? "" : `${digits(ratio)}×`,
      target === undefined ? "" : `${target.is} ${target.limit}${times}`,
      target === undefined ? "" : target.reached ? "reached" : "MISSED"
    ]
  })
  return `${outcome.case}: ${title}\n\n${
    table(["figure", "variant", "median", "min … max", "ours / it", "target", ""], rows)
  }\n`
}

const { values: options } = parseArgs({
  options: {
    case: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    against: { type: "string" },
    json: { type: "boolean", default: false }
  }
})
const rounds = Number(options.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${options.rounds}; expected at least 1`)
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length }

const names = options.case ?? caseNames()
const print = (text: string): void => {
  if (!options.json) console.log(text)
}

const measureAll = async (): Promise<ReadonlyArray<Outcome>> => {
  const outcomes: Array<Outcome> = []
  for (const name of names) {
    const outcome = await runCase(name, await loadCase(name), rounds)
    outcomes.push(outcome)
    print(render(outcome))
  }
  const targets = outcomes.flatMap((outcome) => outcome.targets)
  print(`${targets.filter((target) => target.reached).length} of ${targets.length} targets reached`)
  return outcomes
}

const compareAll = (revision: string): Promise<ReadonlyArray<Comparison>> =>
  withRevision(revision, async (project) => {
    const comparisons: Array<Comparison> = []
    for (const name of names) {
      const comparison = await compareCase(project, name, await loadCase(name), rounds)
      comparisons.push(comparison)
      print(renderComparison(revision, comparison))
    }
    return comparisons
  })

print(`Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${rounds} rounds\n`)
const { against } = options
const cases = against === undefined ? await measureAll() : await compareAll(against)
if (options.json) {
  const result = { ...machine, rounds, ...against === undefined ? {} : { against }, cases }
  console.log(JSON.stringify(result, undefined, 2))
}
