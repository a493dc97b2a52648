/** The commands that show the manager itself. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { table } from "../../base/format.ts"
import { remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { printLine } from "../views/output.ts"

export const infoCommand = Command.make(
  "info",
  remoteFlags,
  (input) =>
    askManager(input, (client) =>
      Effect.map(client.system.info(), (info) =>
        printLine(
          input.format === "json"
            ? JSON.stringify(info)
            : table([
              ["version", info.version],
              ["jobs", info.jobs.join(", ")],
              ...(info.status === undefined ? [] : [
                ["store", info.status.store],
                ["concurrency", String(info.status.concurrency)],
                ["watchers", String(info.status.watchers)]
              ]),
              ...Object.entries(info.counts).map(([state, count]) => [state, String(count)])
            ]).join("\n")
        )))
).pipe(Command.withDescription("Shows what a manager can run, and how many jobs it has"))

export const healthCommand = Command.make(
  "health",
  remoteFlags,
  (input) =>
    askManager(
      input,
      (client) =>
        Effect.map(client.health.ready(), () => printLine(input.format === "json" ? "{\"ready\":true}" : "ready"))
    )
).pipe(Command.withDescription("Says whether a manager takes jobs"))
