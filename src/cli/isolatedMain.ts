/** Where the process of an isolated job begins: the same command line, supervised. */
import type { Owner } from "../process/processOwner.ts"
import { Supervisor, tell, tellLast } from "../jobProcess/reportingRun.ts"
import { exitAtSignals } from "../process/earlySignals.ts"
import { decodeAsked } from "./isolateProtocol.ts"

const installed = exitAtSignals()
const supervisor = new Supervisor(decodeAsked)

const supervise = (owner: Owner): void => {
  owner.onFirstRun = (run) => supervisor.follow(run, ({ report }) => tellLast({ _tag: "Reported", report }))
  supervisor.listen((asked) =>
    asked === null ? owner.lose("its supervisor is gone") : owner.signalled(asked.signal, asked.count)
  )
}

const [{ main }] = await Promise.all([import("./main.ts"), supervisor.ready])
tell({ _tag: "Alive" })
main(process.argv.slice(2), installed, supervise)
