// A service whose release dies beside one that never stops, with a limit that no test waits for.
import { dies, hangs, jobWith, piece } from "./act.ts"

export default jobWith(
  "broken",
  piece("bad", { release: dies }).layer,
  piece("hangs", { release: hangs, stop: { timeout: "4 seconds" } }).layer
)
