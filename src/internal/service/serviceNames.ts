import type { ServiceRecord } from "./serviceRecord.ts"

/** The names of the services of a job: each has its own while it lives. */
export class ServiceNames {
  /** The service that has a name, or was the last one to have it. */
  readonly #holders = new Map<string, ServiceRecord>()

  /** Returns the name, or the first one numbered after it that no living service has. */
  free(name: string): string {
    let free = name
    for (let n = 2; this.#holders.get(free)?.hasStopped === false; n++) free = `${name}#${n}`
    return free
  }

  /** Gives a service its name. */
  add(record: ServiceRecord): void {
    this.#holders.set(record.name, record)
  }

  /** Takes the name back from a service that has left no line in the report. */
  delete(record: ServiceRecord): void {
    if (this.#holders.get(record.name) === record) this.#holders.delete(record.name)
  }
}
