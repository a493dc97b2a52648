import { spawn } from "node:child_process"
import { Socket } from "node:net"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { entries } from "../entryPoints.ts"
import { isGroupAlive, type Killed, killGroup, signal as signalTo } from "../../process/processGroup.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"

/** The process of a host, as whoever started it sees it. It leads a group of its own: what it starts ends with it. */
export interface HostProcess {
  readonly pid: number | undefined
  /** Opens when it has ended, and so has all it had started. */
  readonly ended: OneShotLatch
  /** How it ended, once it has. */
  readonly how: () => string
  /** What it had started and did not end. */
  readonly leftover: () => string | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** Its end of the frames, where it was given none. */
  readonly frames: Socket | undefined
  /** Tells it that its owner is gone. */
  readonly abandon: () => void
  readonly kill: (limitMs: number) => Promise<Killed>
}

const nobody: Killed = { gone: true, how: "nothing to kill", durationMs: 0 }

/** Starts the process of a host. Its frames come on a pipe, or on the connection that is handed over to it. */
export const startHostProcess = (connection?: Socket): HostProcess => {
  const ended = new OneShotLatch()
  const child = spawn(process.execPath, [...execArgv(), fileURLToPath(entries.processMain)], {
    detached: true,
    // 3 carries the frames; 4 carries nothing: its end tells the host that its owner is gone
    stdio: ["ignore", "pipe", "pipe", connection ?? "pipe", "pipe"]
  })
  let how = "it could not be started"
  let isKilled = false
  let leftover: string | undefined
  const { pid } = child
  const [, stdout, stderr, frames, life] = child.stdio
  if (stdout === null || stderr === null || !(life instanceof Socket)) throw new Error(how)
  // it is of no interest here that its end is gone
  life.on("error", () => {})
  child.once("error", (error) => {
    how = `it could not be started: ${error.message}`
    ended.open()
  })
  child.once("exit", (code, signal) => {
    how = signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`
    // what it has started does not outlive it
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
      return pid === undefined ? Promise.resolve(nobody) : killGroup(pid, limitMs)
    }
  }
}

/** A host runs as its owner does, but is not debugged on its owner's port, and has a program of its own. */
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
