import { type ChildProcess as NodeChild, spawn, type StdioOptions } from "node:child_process"
import { Socket } from "node:net"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { OneShotLatch } from "../base/oneShotLatch.ts"
import type { Descendant } from "./descendants.ts"
import type { Ended } from "./endDescendants.ts"
import { programLoader } from "./entryPoints.ts"
import { encode } from "./jsonLines.ts"
import { LineReader, type LineReaderOptions } from "./lineReader.ts"
import { childProcesses, linkOwner, type OwnedProcesses } from "./ownedProcesses.ts"
import { isWithin, markVariable, newMark } from "./ownerMark.ts"
import { isLiving, type ProcessEntry, readProcess, variableOf } from "./processTable.ts"
import { isGroupAlive, type Killed, killGroup, signal } from "./processGroup.ts"
import { watchdog } from "./watchdog.ts"

export interface ChildOptions {
  /** The file that it begins with. */
  readonly entry: URL
  /** Arguments of Node, besides those of this process. */
  readonly nodeArgs?: ReadonlyArray<string>
  /** Arguments of the program. */
  readonly args?: ReadonlyArray<string>
  /** Its environment; that of this process by default. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /**
   * `inherit` shares all three streams with this process; otherwise these streams can be read, and it has no input unless that is
   * named as well.
   */
  readonly output: "inherit" | "stdout and stderr" | "stdout and stderr, input inherited" | "stderr"
  /** A connection that becomes its file descriptor 3, instead of the result pipe. */
  readonly connection?: Socket | undefined
}

/** The time for which a process may outlive this one until it has set its limit, in milliseconds: it has started nothing before. */
const defaultLimitMs = 500
/** The longest text of a limit. */
const longestLimit = 64

/** The end of a process. */
export type ChildEnd =
  | { readonly _tag: "NotStarted"; readonly message: string }
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "Signalled"; readonly signal: NodeJS.Signals }

/** Says how a process ended, as the predicate of a sentence. */
export const describeEnd = (end: ChildEnd): string => {
  switch (end._tag) {
    case "NotStarted":
      return `could not be started: ${end.message}`
    case "Exited":
      return `exited with code ${end.code}`
    case "Signalled":
      return `was ended by ${end.signal}`
  }
}

/**
 * A Node process that leads a group of its own, so that everything it starts can be killed with it. It sends messages on
 * file descriptor 3, the result pipe, and receives messages on 4, the lifeline. When the lifeline closes, it knows that
 * this process has ended. `parentLink.ts` is the other end of both.
 */
export class ChildProcess {
  readonly pid: number | undefined
  readonly stdout: Readable | undefined
  readonly stderr: Readable | undefined
  /** This end of the result pipe; there is none if a connection was handed over, or the process could not be started. */
  readonly result: Socket | undefined
  /** Opens when it has ended, or could not be started. Its last messages may not have been read yet. */
  readonly ended = new OneShotLatch()
  readonly #child: NodeChild
  readonly #lifeline: Socket | undefined
  /** The processes that it starts: without the owners within it that end by themselves, and with them. */
  readonly #own: OwnedProcesses
  readonly #all: OwnedProcesses
  readonly #unlink: () => void
  readonly #mark: string
  #paused: NodeJS.Timeout | undefined
  #end: ChildEnd | undefined

  constructor({ args = [], connection, entry, env = process.env, nodeArgs = [], output }: ChildOptions) {
    const mark = newMark(env, "linked")
    const program = [fileURLToPath(programLoader), fileURLToPath(entry), ...args]
    this.#child = spawn(process.execPath, [...inheritedNodeArgs(), ...nodeArgs, ...program], {
      detached: true,
      env: { ...env, [markVariable]: mark },
      stdio: [...streams[output], connection ?? "pipe", "pipe"]
    })
    // there are none if the machine has no room for another process
    const [, stdout, stderr, result, lifeline] = this.#child.stdio ?? []
    this.pid = this.#child.pid
    this.#mark = mark
    this.#own = childProcesses(this.pid ?? noPid, mark, { all: false })
    this.#all = childProcesses(this.pid ?? noPid, mark, { all: true })
    this.#unlink = linkOwner(mark)
    this.stdout = stdout instanceof Socket ? stdout : undefined
    this.stderr = stderr instanceof Socket ? stderr : undefined
    this.result = result instanceof Socket ? result : undefined
    this.#lifeline = lifeline instanceof Socket ? lifeline : undefined
    // the end of the process says what a broken pipe would
    for (const pipe of this.#pipes) pipe.on("error", () => {})
    this.#watch()
    this.#child.once("error", ({ message }) => this.#onEnd({ _tag: "NotStarted", message }))
    this.#child.once(
      "exit",
      (code, signal) =>
        this.#onEnd(signal === null ? { _tag: "Exited", code: code ?? 1 } : { _tag: "Signalled", signal })
    )
  }

  /** Its end, once it has come. */
  get end(): ChildEnd | undefined {
    return this.#end
  }

  /** True while a process of its group runs, which may be after its own end. */
  get isGroupAlive(): boolean {
    return this.pid !== undefined && isGroupAlive(this.pid)
  }

  /** Passes on the lines that come through the result pipe. Returns a function that ends that. */
  receive(options: LineReaderOptions): () => void {
    const reader = new LineReader(options)
    const feed = (bytes: Buffer) => reader.feed(bytes)
    this.result?.on("data", feed)
    return () => void this.result?.off("data", feed)
  }

  /** Reads nothing from the result pipe for so many milliseconds: meanwhile a process that writes more waits. */
  pauseReceiving(ms: number): void {
    this.result?.pause()
    clearTimeout(this.#paused)
    this.#paused = setTimeout(() => this.result?.resume(), ms)
  }

  /** Reads nothing from the result pipe any longer. */
  endReceiving(): void {
    this.result?.destroy()
  }

  /** Resolves when everything that it has sent has been read, or the time is up: another process may hold the pipe. */
  async allRead(limitMs: number): Promise<void> {
    const { result } = this
    clearTimeout(this.#paused)
    if (result === undefined || result.closed) return
    result.resume()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      result.once("close", resolve)
      timer = setTimeout(resolve, limitMs)
    })
    clearTimeout(timer)
  }

  /** Sends a message as a line of JSON, unless the process has ended. */
  send(message: object): void {
    if (this.#lifeline?.writable === true) this.#lifeline.write(encode(message))
  }

  /** Closes the lifeline: for the process it is as if this one had ended. */
  disown(): void {
    this.#lifeline?.end()
    if (this.pid !== undefined) watchdog.disown(this.pid)
  }

  /** Sends a signal to the process alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** The processes that it has started and that still run, also beyond its group, without the owners that end by themselves. */
  get descendants(): ReadonlyArray<Descendant> {
    return this.#own.find()
  }

  /**
   * Returns the process of an id that it gives for one which it has started, if it can be proved: by its parent, or by the
   * mark that it carries. A process that has ended has no proof, nor has any without `/proc`.
   */
  provenDescendant(pid: number): ProcessEntry | undefined {
    const entry = pid > 1 && pid !== this.pid ? readProcess(pid) : undefined
    if (!isLiving(entry)) return undefined
    const mark = variableOf(pid, markVariable)
    const isIts = entry.parent === this.pid || (mark !== undefined && isWithin(mark, this.#mark))
    return isIts ? entry : undefined
  }

  /** Sends SIGKILL to its group and to what it has started, without a check of what follows. Returns what that was. */
  killAtOnce(): ReadonlyArray<Descendant> {
    const killed = this.#own.kill()
    if (this.pid !== undefined) signal(-this.pid, "SIGKILL")
    return killed
  }

  /** Ends all that it has started and that has left its group, once it has ended. */
  endDescendants(limitMs: number): Promise<ReadonlyArray<Ended>> {
    return this.#all.end({ limitMs })
  }

  /** Ends all of its group, first by SIGTERM, and checks that it is gone. */
  kill(limitMs: number): Promise<Killed> {
    return this.pid === undefined ? Promise.resolve(nothingToKill) : killGroup(this.pid, limitMs)
  }

  /** Lets this process end although the child has not. */
  unref(): void {
    this.#child.unref()
    for (const pipe of this.#pipes) pipe.unref()
  }

  get #pipes(): ReadonlyArray<Socket> {
    return (this.#child.stdio ?? []).filter((pipe) => pipe instanceof Socket)
  }

  /** Has the watchdog kill it, once it has outlived this process for as long as it says on the lifeline. */
  #watch(): void {
    const { pid } = this
    if (pid === undefined) return
    const start = readProcess(pid)?.start ?? 0
    const watch = (limitMs: number) => watchdog.watch({ pid, start, mark: this.#mark, limitMs })
    watch(defaultLimitMs)
    const reader = new LineReader({
      longest: longestLimit,
      onTooLong: () => {},
      onLine: (line) => {
        if (this.#end === undefined && Number(line) >= 0) watch(Number(line))
      }
    })
    this.#lifeline?.on("data", (bytes) => reader.feed(bytes)).unref()
  }

  #onEnd(end: ChildEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    if (this.pid !== undefined) watchdog.forget(this.pid)
    this.#unlink()
    this.ended.open()
  }
}

const streams: { readonly [Output in ChildOptions["output"]]: Extract<StdioOptions, ReadonlyArray<unknown>> } = {
  inherit: ["inherit", "inherit", "inherit"],
  "stdout and stderr": ["ignore", "pipe", "pipe"],
  "stdout and stderr, input inherited": ["inherit", "pipe", "pipe"],
  stderr: ["ignore", "ignore", "pipe"]
}

/** The id of no process. */
const noPid = -1

const nothingToKill: Killed = { gone: true, how: "nothing to kill", durationMs: 0 }

/** A child runs as this process does, but is not debugged on the same port, and has a program of its own. */
const inheritedNodeArgs = (): Array<string> => {
  const own: Array<string> = []
  for (let i = 0; i < process.execArgv.length; i++) {
    const argument = process.execArgv[i] ?? ""
    if (/^(--inspect|--eval=|--print=)/.test(argument)) continue
    if (/^(-e|-p|-pe|--eval|--print)$/.test(argument)) i++
    else own.push(argument)
  }
  return own
}
