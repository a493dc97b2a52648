/** The program of an isolated job's process: it runs the same command line, and its parent answers the signals. */
import type { Run } from "../internal/run/run.ts"
import { decodeParentMessage } from "../jobProcess/protocol.ts"
import { reportRun, send, sendReport } from "../jobProcess/reportingRun.ts"
import { StopRequests } from "../manager/process/stopRequests.ts"
import { exitAtSignals } from "../process/earlySignals.ts"
import { ParentLink } from "../process/parentLink.ts"
import type { Isolation } from "./main.ts"

const releaseSignals = exitAtSignals()
const stops = new StopRequests()
const link = new ParentLink(decodeParentMessage)

const isolation: Isolation = {
  listen: (owner) =>
    link.listen({
      onLost: () => owner.parentLost("its parent process has ended"),
      onMessage: (message) => {
        // only a job manager sends other messages
        if (message._tag === "Signal") owner.signalled(message.signal, message.count)
        // the page of the job has asked for it
        if (message._tag === "Stop") stops.add(message.request)
      }
    }),
  observe: (run: Run) => {
    reportRun(link, run, ({ report }) => sendReport({ _tag: "Reported", report }))
    stops.attach(run)
  }
}

const { main } = await import("./main.ts")
send({ _tag: "Alive" })
main(process.argv.slice(2), releaseSignals, isolation)
