import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { pageAddress } from "../../manager/pageAddress.ts"
import { jobId, remoteFlags } from "../flags/remoteFlags.ts"
import { askManager } from "../remote/askManager.ts"
import { withJob } from "../remote/shortIds.ts"
import { showPage } from "../showPage.ts"
import { printLine } from "../views/output.ts"

export const openCommand = Command.make(
  "open",
  {
    ...remoteFlags,
    id: Argument.optional(jobId),
    print: Flag.Boolean("print").pipe(
      Flag.withDescription("Print the address of the page instead; it opens the page once, within a minute"),
      Flag.withDefault(false)
    )
  },
  (input) =>
    askManager(input, (client, url) =>
      Effect.gen(function*() {
        const { code } = yield* client.session.newCode()
        const open = (path: string) => {
          const address = pageAddress(url, code, path)
          return input.print ? Effect.sync(() => printLine(address)) : showPage(url, address)
        }
        yield* Option.match(input.id, {
          onNone: () => open("/"),
          onSome: (id) => withJob(client, id, (id) => open(`/jobs/${id}`))
        })
      }))
).pipe(Command.withDescription("Opens the page of a manager in a browser, at a job if its id is given"))
