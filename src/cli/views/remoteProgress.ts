/** Shows a job at a manager until it has stopped, and how it ended. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Client } from "../../manager/client/apiClient.ts"
import { exitCode } from "../../process/exitCode.ts"
import { followEvents } from "../remote/followJob.ts"
import { printEvent } from "./eventText.ts"
import { drawLive } from "./liveView.ts"
import { printExit, printExitLine, printReport } from "./reportOutput.ts"

/**
 * Shows what happens to a job until it has stopped: live on a terminal, otherwise as a line for each event. Then prints its
 * result and its report. Returns its exit code.
 */
export const showUntilStopped = (client: Client, url: string, id: string, format: "pretty" | "json") =>
  Effect.gen(function*() {
    const { retryTransient } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    if (format === "pretty" && process.stderr.isTTY) {
      const guessMs = yield* managerTime(client, id)
      yield* drawLive({ guessMs, stages: () => [] }, (take) => followEvents(client, url, id, take))
    } else yield* followEvents(client, url, id, (event) => printEvent(event, format))
    const result = yield* retryTransient(client.jobs.result({ params: { id } }))
    const { exit, report } = result
    if (format === "json") printExitLine(exit)
    else if (report.outcome !== "cancelled") yield* printExit(result, { format, label: "Result: " })
    printReport(format, report)
    return exitCode({ isClean: report.clean, own: report.outcome === "succeeded" ? 0 : 1 })
  })

/** Returns the time of the manager, in milliseconds since 1970, because its clock and this one may differ. */
const managerTime = (client: Client, id: string) =>
  Effect.gen(function*() {
    const [, response] = yield* client.jobs.get({ params: { id }, responseMode: "decoded-and-response" })
    const ms = Date.parse(response.headers["date"] ?? "")
    return Number.isNaN(ms) ? yield* Clock.currentTimeMillis : ms
  })
