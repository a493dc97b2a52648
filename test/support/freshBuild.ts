import { changedSinceBuild } from "../../scripts/changed.ts"

/** The processes that tests start run what was built, also where the test itself runs the sources. */
export default (): void => {
  const changed = changedSinceBuild()
  if (changed !== undefined) throw new Error(`${changed} has changed since the last build: run "npm run build"`)
}
