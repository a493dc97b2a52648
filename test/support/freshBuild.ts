import { readdirSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The processes that tests start run what was built, also where the test itself runs the sources. */
export default (): void => {
  const built = statSync(`${root}/dist/prebundle/contents.json`, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const changed = readdirSync(`${root}/src`, { recursive: true, encoding: "utf8" })
    .find((file) => file.endsWith(".ts") && statSync(`${root}/src/${file}`).mtimeMs > built)
  if (changed !== undefined) throw new Error(`src/${changed} has changed since the last build: run "npm run build"`)
}
