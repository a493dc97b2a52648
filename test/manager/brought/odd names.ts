import { Effect } from "effect"
import { Job } from "autostop"
import { readFileSync } from "node:fs"

/** Files whose names a bundle has not as they are, and one that is not there: new URL("./gone.txt", import.meta.url). */
export default Job.make("odd", {
  run: () => Effect.sync(() => console.log(readFileSync(new URL("./.odd ü.txt", import.meta.url), "utf8")))
})
