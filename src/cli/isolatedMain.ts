/** Where the process of an isolated job begins: with the same command line, whose signals and report are its parent's. */
import { decodeParentMessage, type ParentMessage } from "../jobProcess/protocol.ts"
import { reportRun, send, sendReport } from "../jobProcess/reportingRun.ts"
import { exitAtSignals } from "../process/earlySignals.ts"
import { ParentLink } from "../process/parentLink.ts"
import type { ProcessOwner } from "../process/processOwner.ts"

const installed = exitAtSignals()
const link = new ParentLink<ParentMessage>(decodeParentMessage)

const isolation = {
  listen: (owner: ProcessOwner): void =>
    link.listen({
      onLost: () => owner.parentLost("its parent process has ended"),
      // start and stop are the requests of a job manager
      onMessage: (message) => message._tag === "Signal" && owner.signalled(message.signal, message.count)
    }),
  observe: (run: Parameters<typeof reportRun>[1]): void =>
    reportRun(link, run, ({ report }) => sendReport({ _tag: "Reported", report }))
}

const [{ main }] = await Promise.all([import("./main.ts"), link.ready])
send({ _tag: "Alive" })
main(process.argv.slice(2), installed, isolation)
