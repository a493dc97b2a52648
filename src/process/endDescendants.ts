import type { Descendant } from "./descendants.ts"
import type { Leftover, Patience } from "./processContext.ts"
import { signal, until } from "./processGroup.ts"
import { isStill } from "./processTable.ts"

/** A process that was left behind, and what became of it. */
export interface Ended extends Pick<Descendant, "pid" | "command"> {
  readonly end: "ended" | "killed" | "alive"
}

/** The time between SIGTERM and SIGKILL where there is no limit: what was left behind holds nothing up. */
const longestPatienceMs = 2_000
/** The time that the system has to end what was killed. */
const goneMs = 1_000
/** The interval of the searches for processes that were started meanwhile. */
const searchMs = 100

/**
 * Ends processes by SIGTERM and, after a while, by SIGKILL, and checks that they are gone. It searches again until it finds
 * none, because they start others while they end. One that cannot be killed holds nothing up.
 */
export const endDescendants = async (
  find: () => ReadonlyArray<Descendant>,
  { isUrgent = () => false, limitMs }: Patience
): Promise<ReadonlyArray<Ended>> => {
  const ends = new Map<string, { readonly process: Descendant; end: Ended["end"] }>()
  const asked = new Set<string>()
  /** Those that run: one that was found once may not be found again, after its parents have ended. */
  const search = (): ReadonlyArray<Descendant> => {
    for (const process of find()) if (!ends.has(idOf(process))) ends.set(idOf(process), { process, end: "ended" })
    return Array.from(ends.values(), ({ process }) => process).filter(isStill)
  }
  let left = search()
  const deadline = performance.now() + (limitMs === Infinity ? longestPatienceMs : limitMs)
  while (left.length > 0 && !isUrgent() && performance.now() < deadline) {
    const running = new Set(left.map(({ pid }) => pid))
    for (const process of left) {
      // what an owner among them has started is its to end, as long as it runs
      if (asked.has(idOf(process)) || process.owners.some((pid) => running.has(pid))) continue
      asked.add(idOf(process))
      send(process, "SIGTERM")
    }
    const next = Math.min(deadline, performance.now() + searchMs)
    await until(() => isUrgent() || !left.some(isStill), next - performance.now())
    left = search()
  }
  const killed = performance.now() + goneMs
  while (left.length > 0) {
    for (const process of left) {
      send(process, "SIGKILL")
      ends.set(idOf(process), { process, end: "killed" })
    }
    await until(() => !left.some(isStill), killed - performance.now())
    left = search()
    if (performance.now() >= killed) break
  }
  for (const process of left) ends.set(idOf(process), { process, end: "alive" })
  return Array.from(ends.values(), ({ end, process: { command, pid } }) => ({ command, end, pid }))
}

/** Sends SIGKILL to processes, without a check of what follows. */
export const killAll = (processes: ReadonlyArray<Descendant>): void => {
  for (const process of processes) send(process, "SIGKILL")
}

/** A process that was left behind, as the report names it. */
export const leftoverOf = ({ command, end, pid }: Ended): Leftover => ({
  kind: "child-process",
  detail: `pid ${pid} (${command})${suffixes[end]}`
})

const suffixes: { readonly [E in Ended["end"]]: string } = {
  ended: "",
  killed: ", killed",
  alive: ", which does not end when it is killed"
}

const idOf = ({ pid, start }: Descendant): string => `${pid} ${start}`

const send = (process: Descendant, name: NodeJS.Signals): void => {
  if (isStill(process)) signal(process.pid, name)
}
