import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StopReport } from "../../src/index.ts"
import { bin, fixture, Started } from "../support/cli.ts"
import { Families, type Relative, relative, type Root, root, runs } from "../support/family.ts"
import { Ran } from "../support/jobProcess.ts"

/** Where the job runs that leaves families behind. */
export const places = ["run", "isolate", "manager", "launch", "runMain", "process host", "thread host"] as const
export type Place = (typeof places)[number]

/** The limits of the job: those that ignore SIGTERM are not waited for long. */
const limits = { killTimeout: 300, deadline: 5_000 }

/** The program of a family at a place, and where its report will be. */
export const start = (place: Exclude<Place, "manager">, env: Record<string, string>) => {
  const file = join(mkdtempSync(join(tmpdir(), "autostop-")), "report.json")
  const variables = {
    AUTOSTOP_KILL_TIMEOUT: `${limits.killTimeout}ms`,
    AUTOSTOP_DEADLINE: `${limits.deadline}ms`,
    AUTOSTOP_REPORT: file,
    ...env
  }
  const args = ["--report", file, ...(place === "isolate" ? ["--isolate"] : [])]
  const run = place === "launch" || place === "runMain"
    ? new Started([fixture("family.main.ts"), place], variables)
    : new Started([bin, "run", fixture("family.ts"), ...args], {
      ...variables,
      ...(place.endsWith("host") ? { FAMILY_HOST: place.split(" ")[0] ?? "" } : {})
    })
  return { run, report: () => Schema.decodeUnknownSync(Schema.fromJsonString(StopReport))(readFileSync(file, "utf8")) }
}

/** The report of a job there, its exit code, and what it printed. */
export const reportAt = async (place: Place, env: Record<string, string>) => {
  if (place === "manager") {
    const module = new URL("../cli/jobs/family.ts", import.meta.url).href
    const ran = new Ran({ job: "family", stopPolicy: limits }, env, module)
    const { report } = await ran.ended()
    return { code: report.clean ? 0 : 3, report, said: ran.text() + ran.text("stderr") }
  }
  const { report, run } = start(place, env)
  const code = await run.ended()
  return { code, report: report(), said: `${run.stdout}\n${run.stderr}` }
}

/** Checks that each of those left behind is named and has ended, and that those meant to stay were left alone. */
export const assertNamed = ({ free, left }: Families, { leftovers }: StopReport, context: unknown): void => {
  const named = leftovers.map(({ detail, kind }) => `${kind}: ${detail}`)
  const text = JSON.stringify({ named, context }, undefined, 1)
  const isNamed = (pid: number) =>
    named.some((text) => text.startsWith("child-process: ") && text.includes(`pid ${pid} (`))
  assert.deepStrictEqual(left.filter(runs), [], text)
  assert.deepStrictEqual(left.filter((pid) => !isNamed(pid)), [], text)
  assert.deepStrictEqual(free.filter((pid) => !runs(pid)), [], text)
  assert.deepStrictEqual(free.filter(isNamed), [], text)
}

/** Runs a job that leaves these behind: each is named, and none is left. */
export const assertEnded = async (place: Place, roots: ReadonlyArray<Root>): Promise<void> => {
  using families = new Families(roots)
  const { code, report, said } = await reportAt(place, families.env)
  const context = { place, roots, said }
  assertNamed(families, report, context)
  assert.strictEqual(report.clean, families.left.length === 0, JSON.stringify(context))
  assert.strictEqual(code, report.clean ? (place === "launch" ? 143 : 0) : 3, JSON.stringify(context))
}

/** A process as it was drawn: some of this is left out where it could not be found by anybody. */
const Drawn = Schema.Struct({
  way: Schema.Literals(["child", "session", "orphan"]),
  // of ten
  deaf: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  mortal: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  bare: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  free: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
})
type Drawn = typeof Drawn.Type

const Child = Schema.Struct({ ...Drawn.fields, children: Schema.Array(Drawn).check(Schema.isMaxLength(2)) })

const Tree = Schema.Struct({
  ...Drawn.fields,
  by: Schema.Literals(["spawn", "detached", "effect"]),
  killed: Schema.Boolean,
  children: Schema.Array(Child).check(Schema.isMaxLength(2))
})

/** Random trees of processes that a job starts. */
export const Trees = Schema.Array(Tree).check(Schema.isMinLength(1), Schema.isMaxLength(3))

/**
 * Without the environment of its owner a process is only known by its parents: those live, and it is no orphan. A process
 * that stays leads a group of its own, and starts nothing here.
 */
const relativeOf = (drawn: Drawn & { readonly children?: ReadonlyArray<Drawn> }, isBare = false): Relative => {
  const bare = isBare || drawn.bare < 2
  const free = !bare && drawn.free < 1
  const children = free ? [] : (drawn.children ?? []).map((child) => relativeOf(child, bare))
  return {
    way: free || (bare && drawn.way === "orphan") ? "session" : drawn.way,
    deaf: drawn.deaf < 2,
    mortal: !free && !bare && drawn.mortal < 4 && !children.some(({ bare }) => bare === true),
    bare,
    ...(free ? { free } : {}),
    children
  }
}

const rootOf = ({ by, killed, ...tree }: typeof Tree.Type): Root => {
  const own = relativeOf(tree)
  const mayDie = own.bare !== true && !own.children.some(({ bare }) => bare === true)
  if (own.free === true) return { ...own, by: by === "spawn" ? "detached" : by, killed: false }
  return { ...own, by, mortal: own.mortal && !killed, killed: killed && mayDie }
}

/** Runs a job that leaves random trees behind. */
export const assertTreesEnd = (place: Place, trees: typeof Trees.Type): Effect.Effect<void> =>
  Effect.promise(() => assertEnded(place, trees.map(rootOf)))

const family: ReadonlyArray<Root> = [
  root({ children: [relative()], killed: true }),
  root({ children: [relative({ way: "session" })], mortal: true }),
  root({ children: [relative({ way: "orphan" })], mortal: true }),
  root({ by: "detached" }),
  root({ by: "detached", bare: true, killed: true, children: [relative()] }),
  root({ by: "effect", children: [relative({ way: "session" })] }),
  root({ bare: true, children: [relative(), relative({ way: "session" })] }),
  root({ deaf: true, mortal: true, children: [relative({ way: "session" })] }),
  root({ by: "detached", free: true })
]

/** A family of all kinds at each place. */
export const manyFamilies = (places: ReadonlyArray<Place>): void => {
  describe.concurrent("what a job has started and left behind ends with it, and is named:", () => {
    for (const place of places) {
      it(`children of a shell that was killed, sessions, orphans, and those that ignore SIGTERM (${place})`, () =>
        assertEnded(place, family))
    }
  })
}
