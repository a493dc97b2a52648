import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobRun } from "../../Environment.ts"
import { printEvent } from "./eventText.ts"
import { showLive } from "./liveView.ts"

/** Shows what happens to a job until it has stopped: live on a terminal, otherwise as a line for each event. */
export const showProgress = <A, E>(run: JobRun<A, E>, format: "pretty" | "json"): Effect.Effect<void> =>
  format === "pretty" && process.stderr.isTTY
    ? showLive(run)
    : Stream.runForEach(run.events, (event) => Effect.sync(() => printEvent(event, format)))
