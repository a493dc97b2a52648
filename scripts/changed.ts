import { readdirSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The file that a build makes last. */
const last = "dist/prebundle/contents.json"

/** Returns all that `dist` is made of: a folder changes with the names in it. */
const sources = (): ReadonlyArray<string> => [
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "src",
  ...readdirSync(`${root}src`, { recursive: true, encoding: "utf8" }).map((name) => `src/${name}`),
  ...["build", "page", "prebundle"].map((name) => `scripts/${name}.ts`)
]

/** Returns the first source that has changed since the last build, if there is one. */
export const changedSinceBuild = (): string | undefined => {
  const built = statSync(root + last, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return sources().find((path) => statSync(root + path).mtimeMs > built)
}
