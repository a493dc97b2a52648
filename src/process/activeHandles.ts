import type { Worker } from "node:worker_threads"
import { attempt, classOf, propertyOf } from "../base/valueText.ts"
import type { Leftover } from "./processContext.ts"

/** The handles and timers of this process at one moment. */
export interface Snapshot {
  readonly handles: ReadonlySet<object>
  readonly timers: number
}

export const snapshot = (): Snapshot => ({
  handles: new Set(activeHandles()),
  timers: activeTimers()
})

/** Node announces a worker thread when it begins, but lists it nowhere. */
const workers = new Set<Worker>()
export const watchWorkers = (): void => {
  process.on("worker", (worker: Worker) => {
    workers.add(worker)
    worker.once("exit", () => workers.delete(worker))
  })
}

/** Everything that has been opened in this process since the snapshot, and has not been closed. */
export const handlesSince = (before: Snapshot): Array<Leftover> => {
  const leftovers: Array<Leftover> = []
  for (const handle of activeHandles()) {
    const detail = before.handles.has(handle) ? undefined : describe(handle)
    if (detail !== undefined) leftovers.push({ kind: "handle", detail })
  }
  for (const worker of workers) {
    if (isReferenced(worker)) leftovers.push({ kind: "handle", detail: `a worker thread (${worker.threadId})` })
  }
  const timers = activeTimers() - before.timers
  if (timers > 0) leftovers.push({ kind: "handle", detail: timers === 1 ? "a timer" : `${timers} timers` })
  return leftovers
}

const activeTimers = (): number => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length

/** Node's own list is undocumented, but stable since Node 0.x. Without it only timers are found. */
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

/** Handles that keep no process alive are not left behind, such as the thread in which a loader of TypeScript compiles. */
const isReferenced = (handle: object): boolean => {
  const inner = propertyOf(handle, "_handle") ?? workerHandle(handle) ?? handle
  const hasRef = propertyOf(inner, "hasRef")
  return typeof hasRef === "function" ? attempt((): unknown => Reflect.apply(hasRef, inner, [])) !== false : true
}

/** Node keeps the handle of a worker thread under a symbol of its own. */
const workerHandle = (handle: object): unknown => {
  const symbols = attempt(() => Object.getOwnPropertySymbols(handle)) ?? []
  const key = symbols.find(({ description }) => description === "kHandle")
  return key === undefined ? undefined : propertyOf(handle, key)
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
