import type { LayerGraph } from "../layers/layerGraph.ts"
import type { ServiceRecord } from "./serviceRecord.ts"

/** The dependencies between services, as the graph of layers has them. */
export class Dependencies {
  readonly #graph: LayerGraph<ServiceRecord>
  readonly #levels = new WeakMap<ServiceRecord, number>()

  constructor(graph: LayerGraph<ServiceRecord>) {
    this.#graph = graph
  }

  /** Returns the number of levels of services beneath one that have not stopped. */
  levelsBeneath(record: ServiceRecord): number {
    const known = this.#levels.get(record)
    if (known !== undefined) return known
    const needs = this.#graph.needs.services(record.node)
    if (needs.length === 0) return 0
    this.#levels.set(record, 0)
    let levels = 0
    for (const need of needs) {
      if (!need.hasStopped) levels = Math.max(levels, this.levelsBeneath(need) + 1)
    }
    this.#levels.set(record, levels)
    return levels
  }

  /** Returns the services that depend on each of these. */
  dependents(records: ReadonlyArray<ServiceRecord>): ReadonlyMap<ServiceRecord, ReadonlyArray<ServiceRecord>> {
    const dependents = new Map<ServiceRecord, Array<ServiceRecord>>()
    for (const record of records) {
      for (const need of this.#graph.needs.services(record.node)) {
        const known = dependents.get(need)
        if (known === undefined) dependents.set(need, [record])
        else known.push(record)
      }
    }
    return dependents
  }

  /** Returns the names of the services that one needs, or needed, as they stand in the report. */
  names({ name, node }: ServiceRecord): ReadonlyArray<string> {
    // what a service built for itself was given the memo map of its own node
    const names = this.#graph.needs.serviceNames(node)
    return names.includes(name) ? names.filter((need) => need !== name) : names
  }
}
