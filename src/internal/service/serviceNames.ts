import type { ServiceRecord } from "./serviceRecord.ts"

/** The name of a layer that provides nothing. */
export const unnamed = "layer 1"

const numbered = (name: string, n: number): string => name === unnamed ? `layer ${n}` : `${name}#${n}`

/** The names of the services of a job: each has its own while it lives. */
export class ServiceNames {
  /** The service that has a name, or was the last one to have it. */
  readonly #holders = new Map<string, ServiceRecord>()
  /** The number that comes after the last one that was given, for each name that several services want. */
  readonly #next = new Map<string, number>()

  /** Returns the name or, while a living service has it, one with a number. `mayReuse` is false if a stopped one keeps its name. */
  free(name: string, mayReuse = true): string {
    if (this.#isFree(name, mayReuse)) {
      if (this.#next.size > 0) this.#next.delete(name)
      return name
    }
    let n = this.#next.get(name) ?? 2
    while (!this.#isFree(numbered(name, n), mayReuse)) n++
    this.#next.set(name, n + 1)
    return numbered(name, n)
  }

  /** Returns true if a living service was declared under this name. */
  isDeclared(name: string): boolean {
    const holder = this.#holders.get(name)
    return holder !== undefined && holder.isManaged && !holder.hasStopped
  }

  #isFree(name: string, mayReuse: boolean): boolean {
    const holder = this.#holders.get(name)
    return holder === undefined || (mayReuse && holder.hasStopped)
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
