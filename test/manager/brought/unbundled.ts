// A job whose code cannot be brought along: it imports what is not there.
import { Job } from "autostop"
import { Effect } from "effect"
// @ts-expect-error: that is the point
import { missing } from "./missing.ts"

export default Job.make("unbundled", { module: import.meta.url, run: () => Effect.sync(() => missing()) })
