/** Compares the project as it is with one of its revisions: both are built, and measured in turn by the same cases. */
import { execFile } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { promisify } from "node:util"
import type { Case, Figures } from "./case.ts"
import { median } from "./measure.ts"
import { here, measure, progress } from "./processes.ts"
import { digits, table } from "./table.ts"

/** A figure of both, and how they compare in each round: below 1 is less than the revision. */
export interface Compared {
  readonly figure: string
  readonly unit: string
  readonly here: number
  readonly there: number
  readonly ratio: number
  readonly min: number
  readonly max: number
}

export interface Comparison {
  readonly case: string
  readonly title: string
  readonly variant: string
  readonly figures: ReadonlyArray<Compared>
}

const run = (command: string, args: ReadonlyArray<string>, cwd: string) => promisify(execFile)(command, args, { cwd })

/** What measures is the same on both sides: the revision is given the cases of this project, and what they need. */
const measuring = ["bench", "test/support/postgres.ts"]

/** Builds a revision in a folder of its own, which is removed at the end. */
export const withRevision = async <A>(revision: string, use: (project: string) => Promise<A>): Promise<A> => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-bench-against-"))
  const project = join(folder, "project")
  progress(`building ${revision}`)
  await run("git", ["worktree", "add", "--detach", project, revision], here)
  try {
    for (const path of measuring) {
      rmSync(join(project, path), { recursive: true, force: true })
      cpSync(join(here, path), join(project, path), {
        recursive: true,
        filter: (source) => basename(source) !== "node_modules"
      })
    }
    if (hasSamePackages(project)) symlinkSync(join(here, "node_modules"), join(project, "node_modules"))
    else await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], project)
    await run("npm", ["run", "build"], project)
    return await use(project)
  } finally {
    await run("git", ["worktree", "remove", "--force", project], here)
    rmSync(folder, { recursive: true, force: true })
  }
}

const hasSamePackages = (project: string): boolean => {
  const lockOf = (folder: string) => readFileSync(join(folder, "package-lock.json"), "utf8")
  return existsSync(join(here, "node_modules")) && lockOf(project) === lockOf(here)
}

/** Measures the first variant of a case, which is autostop, here and there in turn. */
export const compareCase = async (
  project: string,
  name: string,
  { figures, node, title, variants: [{ name: variant }] }: Case,
  rounds: number
): Promise<Comparison> => {
  const taken: Array<{ readonly here: Figures; readonly there: Figures }> = []
  for (let round = 1; round <= rounds; round++) {
    progress(`${name}: round ${round} of ${rounds}`)
    const of = (folder: string) => measure(folder, name, variant, node)
    // each is the first every other time
    if (round % 2 === 1) taken.push({ here: await of(here), there: await of(project) })
    else {
      const there = await of(project)
      taken.push({ here: await of(here), there })
    }
  }
  progress("")
  const compared = Object.entries(figures).flatMap(([figure, unit]): Array<Compared> => {
    const pairs = taken.flatMap(({ here, there }) => {
      const [a, b] = [here[figure], there[figure]]
      return a === undefined || b === undefined ? [] : [[a, b] as const]
    })
    if (pairs.length === 0) return []
    const ratios = pairs.map(([a, b]) => a / b)
    return [{
      figure,
      unit,
      here: median(pairs.map(([a]) => a)),
      there: median(pairs.map(([, b]) => b)),
      ratio: median(ratios),
      min: Math.min(...ratios),
      max: Math.max(...ratios)
    }]
  })
  return { case: name, title, variant, figures: compared }
}

export const renderComparison = (revision: string, { figures, title, ...compared }: Comparison): string => {
  const rows = figures.map(({ figure, here, max, min, ratio, there, unit }) => [
    figure,
    compared.variant,
    `${digits(here)} ${unit}`,
    `${digits(there)} ${unit}`,
    digits(ratio),
    `${digits(min)} … ${digits(max)}`
  ])
  const header = ["figure", "variant", "here", revision, "here / it", "min … max"]
  return `${compared.case}: ${title}\n\n${table(header, rows)}\n`
}
