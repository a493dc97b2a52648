/**
 * Type-checks the examples in the comments of `src` and in the documents, each as a module that imports the package as a user does.
 *
 * An example is a block of Markdown whose language is `ts`; one that cannot stand alone is marked `ts ignore`. One that begins with a comment
 * such as `// flights.ts` is the module of that name for the other examples of its document.
 *
 * Usage: `node scripts/examples.ts [FOLDER]`, after a build; FOLDER holds `src` and the documents, and is this repository by default.
 */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

interface Example {
  readonly document: string
  /** The number of lines in the document before the first line of the example. */
  readonly linesBefore: number
  readonly name: string
  readonly text: string
}

const root = fileURLToPath(new URL("..", import.meta.url))
const source = resolve(process.argv[2] ?? root)
/** Within the repository, where TypeScript finds the package and those that it depends on. */
const folder = mkdtempSync(join(root, ".examples-"))

const examplesOf = (document: string): ReadonlyArray<Example> => {
  const text = readFileSync(join(source, document), "utf8")
  return [...text.matchAll(/^( *(?:\* )?)```ts *\n(.*?)^ *(?:\* )?```/gms)].map(
    ({ 0: block, 1: prefix = "", 2: body = "", index }) => {
      const linesBefore = text.slice(0, index + block.indexOf("\n") + 1).split("\n").length - 1
      const lines = body.split("\n").map((line) => line.startsWith(prefix) ? line.slice(prefix.length) : "")
      const name = /^\/\/ ([\w.-]+\.ts)\b/.exec(lines[0] ?? "")?.[1] ?? `line${linesBefore}.ts`
      return { document, linesBefore, name, text: lines.join("\n") }
    }
  )
}

const examples = new Map<string, Example>()
const problems: Array<string> = []
for (const document of globSync(["src/**/*.ts", "*.md", "docs/*.md"], { cwd: source }).toSorted()) {
  for (const example of examplesOf(document)) {
    const path = join(folder, document.replaceAll(/\W/g, "_"), example.name)
    if (examples.has(path)) {
      problems.push(`${document}:${example.linesBefore}: there is another example ${example.name}`)
    }
    examples.set(path, example)
  }
}

writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../tsconfig.json",
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: [],
    files: [...examples.keys()]
  })
)
for (const [path, { text }] of examples) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
const tsc = fileURLToPath(new URL("./bin/tsc", import.meta.resolve("typescript/package.json")))
const { stderr, stdout } = spawnSync(process.execPath, [tsc, "--pretty", "false", "-p", folder], {
  cwd: root,
  encoding: "utf8"
})
for (const line of `${stdout}${stderr}`.split("\n").filter((line) => line !== "")) {
  const [, file = "", row, message] = /^(\S+)\((\d+),\d+\): (.*)$/.exec(line) ?? []
  const example = examples.get(resolve(root, file))
  problems.push(example === undefined ? line : `${example.document}:${example.linesBefore + Number(row)}: ${message}`)
}
rmSync(folder, { recursive: true })

for (const problem of problems) console.error(problem)
console.error(`${examples.size} examples in ${relative(process.cwd(), source) || "."}, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
