import type { Leftover, ServiceReport } from "../../StopReport.ts"
import type { Replica } from "./replica.ts"
import { isRunning, resultOf } from "./replicaState.ts"

/** The number of leftovers that are kept: a host that crashes again and again must not fill the memory. */
const keptLeftovers = 20

/** The services that replaced hosts did not release: without their lines, the report would say clean. */
export class LostServices {
  /** The last line of each service that was not released, by its name within the host. */
  readonly lines = new Map<string, ServiceReport>()
  #leftovers: ReadonlyArray<Leftover> = []

  get leftovers(): ReadonlyArray<Leftover> {
    return this.#leftovers
  }

  /** Takes in a host that has ended and is replaced. */
  add(replica: Replica): void {
    for (const line of innerLines(replica)) {
      if (line.initialized && line.outcome !== "released") this.lines.set(line.name, line)
    }
    this.#leftovers = [...this.#leftovers, ...leftoversWithin(replica)].slice(-keptLeftovers)
  }
}

/** The lines of the services within a host. */
export const innerLines = ({ inner, state }: Replica): ReadonlyArray<ServiceReport> =>
  Array.from(inner.values(), (line) => {
    if (isRunning(state)) return line
    // what a service was still doing has ended with its host
    const ended = { ...line, running: false, outcome: line.outcome === "abandoned" ? "killed" : line.outcome } as const
    const error = line.error ?? (ended.outcome === "killed" && state._tag === "Exited" ? state.reason : undefined)
    return error === undefined ? ended : { ...ended, error }
  })

/** The leftovers of a host, as far as it or its caller has seen them. */
export const leftoversWithin = ({ connection, state }: Replica): ReadonlyArray<Leftover> => {
  const found = connection.leftover()
  return [
    ...(resultOf(state)?.report.leftovers ?? []),
    ...(found === undefined ? [] : [{ kind: "child-process", detail: found }])
  ]
}
