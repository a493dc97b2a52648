import { spawn } from "node:child_process"
import { Socket } from "node:net"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { isGroupAlive, type Killed, killGroup, signal as signalTo } from "../../process/processGroup.ts"
import { entries } from "../entryPoints.ts"

/** The process of a host as its owner sees it. It leads a process group: what it starts ends with it. */
export interface HostProcess {
  readonly pid: number | undefined
  /** Opens once the process has ended, and all that it had started was killed. */
  readonly ended: OneShotLatch
  /** How the process ended; only used once `ended` is open. */
  readonly how: () => string
  /** What the process had started and did not end. */
  readonly leftover: () => string | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** The owner's end of the pipe for frames, unless the process was given a connection. */
  readonly frames: Socket | undefined
  /** Makes the process clean up and exit as if its owner were gone. */
  readonly abandon: () => void
  readonly kill: (limitMs: number) => Promise<Killed>
}

const nothing: Killed = { gone: true, how: "nothing to kill", durationMs: 0 }

/** Starts the process of a host. Its frames come on a pipe, or on the connection that is handed over to it. */
export const startHostProcess = (connection?: Socket): HostProcess => {
  const ended = new OneShotLatch()
  const child = spawn(process.execPath, [...execArgv(), fileURLToPath(entries.processMain)], {
    detached: true,
    // 3 carries the frames; 4 carries nothing: the host exits when it ends, which is when its owner does
    stdio: ["ignore", "pipe", "pipe", connection ?? "pipe", "pipe"]
  })
  let how = "it could not be started"
  let isKilled = false
  let leftover: string | undefined
  const { pid } = child
  const [, stdout, stderr, frames, life] = child.stdio
  if (stdout === null || stderr === null || !(life instanceof Socket)) throw new Error(how)
  // the host may be gone before its owner closes this pipe
  life.on("error", () => {})
  child.once("error", (error) => {
    how = `it could not be started: ${error.message}`
    ended.open()
  })
  child.once("exit", (code, signal) => {
    how = signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`
    // nothing that it has started outlives it
    if (pid !== undefined && isGroupAlive(pid)) {
      if (!isKilled) leftover = `something of process group ${pid} was left, and was killed`
      signalTo(-pid, "SIGKILL")
    }
    ended.open()
  })
  return {
    pid,
    ended,
    how: () => how,
    leftover: () => leftover,
    stdout,
    stderr,
    frames: frames instanceof Socket ? frames : undefined,
    abandon: () => void life.end(),
    kill: (limitMs) => {
      isKilled = true
      return pid === undefined ? Promise.resolve(nothing) : killGroup(pid, limitMs)
    }
  }
}

/** The options of Node for a host: those of its owner, without a program of its own or the port of a debugger. */
export const execArgv = (): Array<string> => {
  const own: Array<string> = []
  for (let i = 0; i < process.execArgv.length; i++) {
    const argument = process.execArgv[i] ?? ""
    if (/^(--inspect|--eval=|--print=)/.test(argument)) continue
    if (/^(-e|-p|-pe|--eval|--print)$/.test(argument)) i++
    else own.push(argument)
  }
  return own
}
