import { readdirSync, readFileSync } from "node:fs"
import type { Worker } from "node:worker_threads"
import { attempt, classOf, propertyOf } from "../base/valueText.ts"
import type { Leftover } from "./processContext.ts"
import { statOf } from "./processGroup.ts"

/** The handles, timers and child processes of this process at one moment. */
export interface Snapshot {
  readonly handles: ReadonlySet<object>
  readonly timers: number
  readonly children: ReadonlySet<number>
}

export const snapshot = (): Snapshot => ({
  handles: new Set(activeHandles()),
  timers: activeTimers(),
  children: new Set(childProcesses().map((child) => child.pid))
})

/** Node announces a worker thread when it begins, but lists it nowhere. */
const workers = new Set<Worker>()
export const watchWorkers = (): void => {
  process.on("worker", (worker: Worker) => {
    workers.add(worker)
    worker.once("exit", () => workers.delete(worker))
  })
}

export interface ChildProcess {
  readonly pid: number
  readonly command: string
  /** True if it leads a process group of its own, because it was started to outlive its parent. */
  readonly detached: boolean
}

/** The children that have been started since the snapshot. */
export const newChildren = (before: Snapshot): Array<ChildProcess> =>
  childProcesses().filter((child) => !before.children.has(child.pid))

/** Everything that has been opened or started since the snapshot, and has not ended. */
export const leftoversSince = (before: Snapshot): Array<Leftover> => {
  const children = newChildren(before)
  const leftovers = children.map(leftoverOf)
  for (const handle of activeHandles()) {
    const detail = before.handles.has(handle) ? undefined : describe(handle)
    if (detail !== undefined) leftovers.push({ kind: "handle", detail })
  }
  for (const worker of workers) leftovers.push({ kind: "handle", detail: `a worker thread (${worker.threadId})` })
  const timers = activeTimers() - before.timers
  if (timers > 0) leftovers.push({ kind: "handle", detail: timers === 1 ? "a timer" : `${timers} timers` })
  return leftovers
}

const activeTimers = (): number => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length

/** Node's own list is undocumented, but stable since Node 0.x. Without it only timers and children are found. */
const activeHandles = (): Array<object> => {
  const get: unknown = Reflect.get(process, "_getActiveHandles")
  const handles: unknown = typeof get === "function" ? Reflect.apply(get, process, []) : []
  return Array.isArray(handles)
    ? handles.filter((handle) =>
      typeof handle === "object" && handle !== null && !isStdio(handle) && isReferenced(handle)
    )
    : []
}

const isStdio = (handle: object): boolean => {
  if (handle === process.stdin || handle === process.stdout || handle === process.stderr) return true
  const fd = propertyOf(handle, "fd")
  return typeof fd === "number" && fd >= 0 && fd <= 2
}

const isReferenced = (handle: object): boolean => {
  const inner = propertyOf(handle, "_handle") ?? handle
  const hasRef = propertyOf(inner, "hasRef")
  return typeof hasRef === "function" ? attempt((): unknown => Reflect.apply(hasRef, inner, [])) !== false : true
}

/** Describes a handle. Its class may be of the user, and throw: a handle that cannot be looked at is named after its class. */
const describe = (handle: object): string | undefined => {
  try {
    return describeHandle(handle)
  } catch {
    return classOf(handle)
  }
}

const describeHandle = (handle: object): string | undefined => {
  const name = classOf(handle)
  // the process itself is listed as a child, and its pipes end with it
  if (name === "ChildProcess") return undefined
  const address = Reflect.get(handle, "address")
  if (name === "Server" && typeof address === "function") {
    const bound: unknown = Reflect.apply(address, handle, [])
    return `a server listening on ${typeof bound === "object" && bound !== null ? endpoint(bound, "") : String(bound)}`
  }
  if (name === "Socket" || name === "TLSSocket") {
    if (Reflect.get(handle, "destroyed") === true) return undefined
    return Reflect.get(handle, "remoteAddress") === undefined
      ? "a pipe"
      : `a socket connected to ${endpoint(handle, "remote")}`
  }
  return name
}

const endpoint = (of: object, prefix: string): string => {
  const get = (key: string): unknown =>
    Reflect.get(of, prefix === "" ? key : prefix + key.charAt(0).toUpperCase() + key.slice(1))
  return `${String(get("address"))}:${String(get("port"))}`
}

/** The direct children that have not ended, from `/proc`. A system without `/proc` has none to show. */
const childProcesses = (): Array<ChildProcess> => {
  try {
    return readdirSync("/proc/self/task").flatMap((task) => childrenOf(`self/task/${task}`))
  } catch {
    return []
  }
}

/** The children that one thread has started, by its path in `/proc`. Once the thread has ended they cannot be found. */
export const childrenOf = (task: string): Array<ChildProcess> => {
  try {
    return readFileSync(`/proc/${task}/children`, "utf8").split(" ")
      .flatMap((pid) => pid.trim() === "" ? [] : [childProcess(Number(pid))])
      .filter((child) => child !== undefined)
  } catch {
    return []
  }
}

export const leftoverOf = (child: ChildProcess): Leftover => ({
  kind: "child-process",
  detail: `pid ${child.pid} (${child.command})`
})

const childProcess = (pid: number): ChildProcess | undefined => {
  try {
    const [state, group] = statOf(pid)
    if (state === undefined || state === "Z" || state === "X") return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim()
    return { pid, command, detached: group === pid }
  } catch {
    return undefined
  }
}
