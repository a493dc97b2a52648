/** The stages of pipelines as a graph. */

interface Named {
  readonly name: string
  readonly kind: string
}

interface Node extends Named {
  readonly upstream?: ReadonlyArray<string>
}

/** Returns the texts by which stages are named as upstream of others: kind and name where several kinds have that name. */
export const stageLabels = (stages: ReadonlyArray<Named>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { name } of stages) counts.set(name, (counts.get(name) ?? 0) + 1)
  return stages.map(({ kind, name }) => counts.get(name) === 1 ? name : `${kind} ${name}`)
}

/** Returns for each stage the places of those that it takes from. */
export const upstreamPlaces = (stages: ReadonlyArray<Node>): ReadonlyArray<ReadonlyArray<number>> => {
  const places = new Map(stageLabels(stages).map((label, place) => [label, place]))
  return stages.map(({ upstream = [] }) => upstream.flatMap((label) => places.get(label) ?? []))
}

/** Returns the stages in the order in which elements pass them. */
export const inFlowOrder = <S extends Node>(stages: ReadonlyArray<S>): ReadonlyArray<S> => {
  const upstream = upstreamPlaces(stages)
  const ordered = new Set<number>()
  const begun = new Set<number>()
  // a stage follows all those that it takes from, but for a loop; there may be too many for a recursion
  const open = stages.map((_, place) => place).toReversed()
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (begun.has(place)) {
      ordered.add(place)
      continue
    }
    begun.add(place)
    open.push(place, ...(upstream[place] ?? []).filter((before) => !begun.has(before)).toReversed())
  }
  return [...ordered].flatMap((place) => stages[place] ?? [])
}

/** A stage in its row, and what it takes from, as text, unless that is just the stage of the row before. */
export interface StageRow<S> {
  readonly stage: S
  readonly from: string
}

/** Returns the stages in the order in which elements pass them, each with what a reader does not see by that. */
export const stageRows = <S extends Node>(stages: ReadonlyArray<S>): ReadonlyArray<StageRow<S>> => {
  const ordered = inFlowOrder(stages)
  const labels = stageLabels(ordered)
  return upstreamPlaces(ordered).flatMap((upstream, row) => {
    const stage = ordered[row]
    if (stage === undefined) return []
    const isNext = upstream.length === 0 || (upstream.length === 1 && upstream[0] === row - 1)
    return [{ stage, from: isNext ? "" : `from ${upstream.map((place) => labels[place]).join(", ")}` }]
  })
}
