import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { entryPoint, programLoader } from "./entryPoints.ts"
import { markVariable, withoutOwner } from "./ownerMark.ts"
import { startTimer } from "./timers.ts"

/** A child of this process that may outlive it for a while. `pid` leads a group, and `start` tells it from a later process. */
export interface Watched {
  readonly pid: number
  readonly start: number
  readonly mark: string
  /** The time for which it may outlive this process, in milliseconds. */
  readonly limitMs: number
}

/** The delay after which a watchdog that has ended is started again. */
const againMs = 500

/** The word after the id of a child that is to end as if this process had. */
export const disowned = "disowned"

const program = [programLoader, entryPoint(import.meta.url, "./watchdogMain")].map((url) => fileURLToPath(url))

/**
 * The watchdog of this process: a process that kills the children of this one if it has ended and they do not end within their
 * limits, whatever their event loops do. It needs no child to have a thread of its own for that. It is started with the first
 * child, and ends when this process has, as soon as nothing is left to watch.
 */
class Watchdog {
  readonly #watched = new Map<number, Watched>()
  #process: ChildProcess | undefined

  /** Watches a child from now on, or sets its limit. */
  watch(child: Watched): void {
    this.#watched.set(child.pid, child)
    if (this.#process === undefined) this.#start()
    else this.#tell(child.pid)
  }

  /** The child has ended, or this process ends what it leaves behind. */
  forget(pid: number): void {
    if (this.#watched.delete(pid)) this.#tell(pid)
  }

  /** Treats a child as if this process had ended. */
  disown(pid: number): void {
    this.#process?.stdin?.write(`${pid} ${disowned}\n`)
  }

  #start(): void {
    const { NODE_OPTIONS: _, ...env } = process.env
    const child = spawn(process.execPath, program, {
      cwd: "/",
      detached: true,
      env: { ...env, [markVariable]: withoutOwner },
      stdio: ["pipe", "ignore", "ignore"]
    })
    this.#process = child
    child.unref()
    const { stdin } = child
    if (stdin instanceof Socket) stdin.unref()
    stdin?.on("error", () => {})
    const onEnd = () =>
      startTimer(againMs, () => {
        // it may have had both an error and an end
        if (this.#process !== child) return
        this.#process = undefined
        if (this.#watched.size > 0) this.#start()
      }, { keepsAlive: false })
    child.once("error", onEnd)
    child.once("exit", onEnd)
    for (const pid of this.#watched.keys()) this.#tell(pid)
  }

  #tell(pid: number): void {
    const stdin = this.#process?.stdin
    if (stdin?.writable !== true) return
    const child = this.#watched.get(pid)
    stdin.write(child === undefined ? `${pid}\n` : `${pid} ${child.start} ${child.limitMs} ${child.mark}\n`)
  }
}

export const watchdog = new Watchdog()
