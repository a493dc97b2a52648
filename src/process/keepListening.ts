import type { EventEmitter } from "node:events"

export type Listener = Parameters<EventEmitter["on"]>[1]

/** Marks listeners that are kept first, so that two owners of one process do not overtake each other for ever. */
const kept = Symbol.for("autostop/process/keptListener")

/**
 * Listens to events of this process. The listeners stay the first of their events, whatever other code adds or removes: one
 * that throws, as each does that calls `process.exit`, keeps those after it from being called. Returns a function that ends it.
 */
export const keepListening = (listeners: ReadonlyMap<string, Listener>): () => void => {
  const emitter: EventEmitter = process
  let isKept = true

  const keepFirst = (name: string, listener: Listener): void => {
    const all = emitter.rawListeners(name)
    if (!isKept || all[0] === listener) return
    emitter.prependListener(name, listener)
    // it removes the last one; while another is there, the process goes on listening to the signal
    if (all.includes(listener)) emitter.off(name, listener)
  }
  const keepAll = (): void => {
    for (const [name, listener] of listeners) keepFirst(name, listener)
    for (const [name, listener] of watchers) keepFirst(name, listener)
  }
  const watchers: ReadonlyMap<string, Listener> = new Map([
    // it is called before the other listener is added
    ["newListener", (name: string, added: Listener) => {
      if (listeners.has(name) && !Object.hasOwn(added, kept)) queueMicrotask(keepAll)
    }],
    ["removeListener", (name: string, removed: Listener) => {
      const listener = listeners.get(name)
      if (!isKept || listener === undefined || removed !== listener) return
      if (emitter.rawListeners(name).includes(listener)) return
      // at once, because until then the signal would end the process, and at the end, because others may still be removed
      emitter.on(name, listener)
      queueMicrotask(keepAll)
    }]
  ])

  for (const listener of listeners.values()) Object.defineProperty(listener, kept, { value: true })
  keepAll()
  return () => {
    isKept = false
    for (const [name, listener] of [...watchers, ...listeners]) emitter.off(name, listener)
  }
}
