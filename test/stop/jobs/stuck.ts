// A service that never stops, with a limit that no test waits for.
import { hangs, jobWith, piece } from "./act.ts"

export default jobWith("stuck", piece("hangs", { release: hangs, stop: { timeout: "4 seconds" } }).layer)
