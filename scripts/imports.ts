/**
 * Checks that the imports of a folder run one way, type-only ones and `import()` included, and prints a line for each that does not.
 *
 * Usage: `node scripts/imports.ts [FOLDER]`; FOLDER is `src` by default.
 */
import { globSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { parseSync, Visitor } from "rolldown/utils"

/** A part imports from parts with a lower number only. */
const levels = new Map(
  ["base", "process", "internal", "telemetry", "host jobProcess", "facade", "manager", "remote", "cli page", "top"]
    .flatMap((parts, level) => parts.split(" ").map((part) => [part, level]))
)

/** The public modules, which lie directly in `src`, by the part that they belong to. */
const publicModules: Record<string, ReadonlyArray<string>> = {
  internal: ["StopReport", "JobEvent", "StopPolicy", "Job", "Environment", "Service", "Pipeline", "managedRuntime"],
  facade: ["Host", "LocalEnvironment", "Observability", "autostop", "testing"],
  remote: ["RemoteEnvironment", "JobManager"],
  top: ["index", "bin"]
}

/** The folders of `internal`, each with the others that it may import from. */
const withinInternal: Record<string, ReadonlyArray<string>> = {
  policy: [],
  report: [],
  pipeline: ["policy", "report"],
  layers: ["policy", "report"],
  service: ["layers", "policy", "report"],
  stop: ["service", "layers", "policy", "report"],
  run: ["stop", "service", "layers", "pipeline", "policy", "report"]
}

const src = process.argv[2] ?? "src"
const problems = new Set<string>()

const importsOf = (file: string, files: ReadonlyArray<string>): ReadonlySet<string> => {
  const targets = new Set<string>()
  const add = ({ source }: { readonly source: object | null }): void => {
    const path = source !== null && "value" in source ? String(source.value) : ""
    const target = normalize(join(dirname(file), path)).replaceAll("\\", "/")
    if (path.startsWith(".") && target !== file && files.includes(target)) targets.add(target)
  }
  const declarations = { ImportDeclaration: add, ExportAllDeclaration: add, ExportNamedDeclaration: add }
  const visitor = new Visitor({ ...declarations, ImportExpression: add, TSImportType: add })
  visitor.visit(parseSync(file, readFileSync(join(src, file), "utf8")).program)
  return targets
}

const partOf = (file: string): string => {
  const name = file.split(/\/|\.ts$/)[0] ?? ""
  const part = file.includes("/")
    ? name
    : Object.keys(publicModules).find((part) => publicModules[part]?.includes(name)) ?? ""
  if (!levels.has(part)) problems.add(`${file}: scripts/imports.ts does not say which part it belongs to`)
  return part
}

const mayImport = (from: string, to: string): boolean => {
  if (partOf(from) !== partOf(to)) return (levels.get(partOf(to)) ?? -1) < (levels.get(partOf(from)) ?? Infinity)
  const [fromFolder, toFolder] = [from, to].map((file) => /^internal\/(\w+)\//.exec(file)?.[1])
  return !fromFolder || !toFolder || fromFolder === toFolder || withinInternal[fromFolder]?.includes(toFolder) === true
}

/** The parts whose code goes into the page; of the others it takes types, because their code would be too much for a browser. */
const bundledIntoPage: ReadonlySet<string> = new Set(["base", "jobProcess", "page"])

/** Returns the files of which a file takes more than types. */
const valueImportsOf = (file: string): ReadonlyArray<string> => {
  const targets: Array<string> = []
  const visitor = new Visitor({
    ImportDeclaration: ({ importKind, source }) => {
      if (importKind !== "type") targets.push(normalize(join(dirname(file), source.value)).replaceAll("\\", "/"))
    }
  })
  visitor.visit(parseSync(file, readFileSync(join(src, file), "utf8")).program)
  return targets.filter((target) => files.includes(target))
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** A shortest circle through each node that lies on one. */
const circles = (graph: Graph): ReadonlyArray<ReadonlyArray<string>> =>
  [...graph.keys()].flatMap((start) => {
    const paths = [[start]]
    const seen = new Set<string>()
    for (const path of paths) {
      for (const next of graph.get(path.at(-1) ?? "") ?? []) {
        if (next === start) return [path]
        if (!seen.has(next)) paths.push([...path, next])
        seen.add(next)
      }
    }
    return []
  })

const addCircles = (kind: string, graph: Graph): void => {
  for (const circle of circles(graph)) {
    // Each node of a circle finds it: the one that is first in the alphabet stands first.
    const first = circle.indexOf(circle.toSorted()[0] ?? "")
    const nodes = [...circle.slice(first), ...circle.slice(0, first), circle[first]]
    if (kind === "files" || nodes.some((node) => node?.endsWith("/"))) {
      problems.add(`circle of ${kind}: ${nodes.join(" → ")}`)
    }
  }
}

const files = globSync("**/*.{ts,tsx}", { cwd: src }).map((file) => file.replaceAll("\\", "/")).toSorted()
const imports = new Map(files.map((file) => [file, importsOf(file, files)]))
for (const [from, targets] of imports) {
  partOf(from)
  for (const to of targets) if (!mayImport(from, to)) problems.add(`${from}: may not import ${to}`)
}
for (const file of files.filter((file) => file.startsWith("page/"))) {
  for (const to of valueImportsOf(file)) {
    if (!bundledIntoPage.has(partOf(to))) problems.add(`${file}: may import only types of ${to}`)
  }
}
addCircles("files", imports)

// In each folder, every file and every folder is a node. The public modules are left out: `internal` imports from some of them.
const foldersOf = (file: string): ReadonlyArray<string> =>
  [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index + 1))
for (const folder of new Set(["", ...files.flatMap(foldersOf)])) {
  const nodeOf = (file: string): string =>
    file.startsWith(folder) && file.includes("/") ? folder + file.slice(folder.length).replace(/\/.*/, "/") : ""
  const graph = new Map<string, Set<string>>()
  for (const [file, targets] of imports) {
    const from = nodeOf(file)
    const to = [...targets].map(nodeOf).filter((node) => node !== "" && node !== from)
    if (from !== "") graph.set(from, new Set([...graph.get(from) ?? [], ...to]))
  }
  addCircles("folders", graph)
}

for (const problem of problems) console.error(problem)
console.error(`${files.length} files, ${problems.size} problems`)
process.exitCode = problems.size === 0 ? 0 : 1
