// Runs the cases, each variant in fresh processes, in turn with its peers:
// `node bench/main.ts [--case NAME]… [--rounds N] [--json]`
import { Schema } from "effect"
import { execFile } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"
import type { Case, Figures, Target } from "./case.ts"
import { caseNames, loadCase } from "./cases.ts"
import { median } from "./measure.ts"
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

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Finite)))

const child = fileURLToPath(new URL("./child.ts", import.meta.url))

/** One measurement of one variant, in a process of its own. */
const measure = async (name: string, variant: string, node: ReadonlyArray<string>): Promise<Figures> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", ...node, child, name, variant])
  return decode(stdout)
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
      taken.set(variant.name, [...taken.get(variant.name) ?? [], await measure(name, variant.name, node)])
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

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}

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
    json: { type: "boolean", default: false }
  }
})
const rounds = Number(options.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${options.rounds}; expected at least 1`)
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length }

const outcomes: Array<Outcome> = []
if (!options.json) console.log(`Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${rounds} rounds\n`)
for (const name of options.case ?? caseNames()) {
  const outcome = await runCase(name, await loadCase(name), rounds)
  outcomes.push(outcome)
  if (!options.json) console.log(render(outcome))
}
if (options.json) {
  console.log(JSON.stringify({ ...machine, rounds, cases: outcomes }, undefined, 2))
} else {
  const targets = outcomes.flatMap((outcome) => outcome.targets)
  console.log(`${targets.filter((target) => target.reached).length} of ${targets.length} targets reached`)
}
