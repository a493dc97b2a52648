// Writes what `node bench/main.ts --json` has printed as tables into a page, each in a section of its own:
// `node bench/page.ts RESULT.json… [--into docs/benchmarks.md]`
import { Schema } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import { parseArgs } from "node:util"
import { digits } from "./table.ts"

const Measured = Schema.Struct({
  variant: Schema.String,
  figure: Schema.String,
  unit: Schema.String,
  median: Schema.Finite,
  min: Schema.Finite,
  max: Schema.Finite,
  ratio: Schema.optionalKey(Schema.Finite)
})
const Verdict = Schema.Struct({
  figure: Schema.String,
  peer: Schema.optionalKey(Schema.String),
  is: Schema.String,
  limit: Schema.Finite,
  reached: Schema.Boolean
})
const Compared = Schema.Struct({
  figure: Schema.String,
  unit: Schema.String,
  here: Schema.Finite,
  there: Schema.Finite,
  ratio: Schema.Finite,
  min: Schema.Finite,
  max: Schema.Finite
})
const machine = { node: Schema.String, cpu: Schema.String, cores: Schema.Int, rounds: Schema.Int }
const Outcomes = Schema.Struct({
  ...machine,
  cases: Schema.Array(Schema.Struct({
    case: Schema.String,
    title: Schema.String,
    figures: Schema.Array(Measured),
    targets: Schema.Array(Verdict)
  }))
})
const Comparisons = Schema.Struct({
  ...machine,
  against: Schema.String,
  cases: Schema.Array(Schema.Struct({ title: Schema.String, figures: Schema.Array(Compared) }))
})
type Outcomes = typeof Outcomes.Type
type Comparisons = typeof Comparisons.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Union([Comparisons, Outcomes])))

const row = (...cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

/** The first variant of each figure, and below it those that it is compared with. */
const outcomesTable = ({ cases }: Outcomes): ReadonlyArray<string> => [
  row("Work", "Figure", "Of", "Median", "Min … max", "Ratio", "Goal"),
  "|---|---|---|---|---|---|---|",
  ...cases.flatMap(({ figures, targets, title }) =>
    figures.map(({ figure, max, median, min, ratio, unit, variant }, index) => {
      const target = targets.find((one) =>
        one.figure === figure && (one.peer === undefined ? ratio === undefined : one.peer === variant)
      )
      return row(
        index === 0 ? title : "",
        figure,
        variant,
        `${digits(median)} ${unit}`,
        `${digits(min)} … ${digits(max)}`,
        ratio === undefined ? "" : digits(ratio),
        target === undefined ? "" : `${target.is} ${target.limit}${target.reached ? "" : ", missed"}`
      )
    })
  )
]

const comparisonsTable = ({ against, cases }: Comparisons): ReadonlyArray<string> => [
  row("Work", "Figure", `Before (\`${against}\`)`, "Now", "Ratio", "Min … max"),
  "|---|---|---|---|---|---|",
  ...cases.flatMap(({ figures, title }) =>
    figures.map(({ figure, here, max, min, ratio, there, unit }, index) =>
      row(
        index === 0 ? title : "",
        figure,
        `${digits(there)} ${unit}`,
        `${digits(here)} ${unit}`,
        digits(ratio),
        `${digits(min)} … ${digits(max)}`
      )
    )
  )
]

const sectionOf = (result: Outcomes | Comparisons): string =>
  [
    `Node ${
      result.node.slice(1)
    }, ${result.cores} × ${result.cpu}, ${result.rounds} rounds. Ratios below 1 are less time or ` +
    "memory of autostop.",
    "",
    ...("against" in result ? comparisonsTable(result) : outcomesTable(result))
  ].join("\n")

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { into: { type: "string", default: "docs/benchmarks.md" } }
})
let page = readFileSync(values.into, "utf8")
for (const file of positionals) {
  const name = basename(file, ".json")
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${values.into} has no lines "${begin}" and "${end}" for the results`)
  page = `${page.slice(0, from + begin.length)}\n\n${sectionOf(decode(readFileSync(file, "utf8")))}\n\n${
    page.slice(to)
  }`
}
writeFileSync(values.into, page)
