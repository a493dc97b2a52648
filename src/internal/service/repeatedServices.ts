import type { JobEvent } from "../../JobEvent.ts"
import type { ServiceRecord } from "./serviceRecord.ts"

type ServiceStopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

interface Finished {
  readonly record: ServiceRecord
  readonly last: ServiceStopped
}

/**
 * The services that `run` provides, perhaps again and again. As long as they stop well, those of one name leave one line
 * in the report, that of the last one: the others are forgotten.
 */
export class RepeatedServices {
  readonly #forget: (record: ServiceRecord, last: ServiceStopped) => void
  /** The last service of each name. */
  readonly #latest = new Map<string, Finished>()

  constructor(forget: (record: ServiceRecord, last: ServiceStopped) => void) {
    this.#forget = forget
  }

  /** A service that `run` provided has stopped. */
  add(record: ServiceRecord, last: ServiceStopped): void {
    if (!endedWell(record, last)) return
    if (record.name !== record.wantedName) return this.#forget(record, last)
    const before = this.#latest.get(record.name)
    this.#latest.set(record.name, { record, last })
    if (before !== undefined) this.#forget(before.record, before.last)
  }
}

/** Returns true if the report needs no line for a service, its hosts and what was in them. */
const endedWell = ({ error, hosts }: ServiceRecord, { outcome }: ServiceStopped): boolean =>
  outcome === "released" && error === undefined && (
    hosts === undefined || (
      [hosts.details(), ...hosts.lines()].every(({ restarts }) => restarts === undefined) &&
      hosts.lines().every(({ error, outcome }) => outcome === "released" && error === undefined) &&
      hosts.leftovers().length === 0
    )
  )
