import { spawn } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { Notice } from "../internal/notice.ts"
import { entries } from "../internal/entry.ts"
import { isGroupAlive, type Killed, killGroup, signal as signalTo } from "../internal/group.ts"
import type { Open } from "./link.ts"
import { forward, tailOf } from "./output.ts"

/** A host in a process of its own, which leads a group of its own: what it starts is killed with it. */
export const openProcess: Open = (onBytes) => {
  const exited = new Notice()
  const child = spawn(process.execPath, [...execArgv(), fileURLToPath(entries.processMain)], {
    detached: true,
    // 3 carries the frames; 4 carries nothing: its end tells the host that its owner is gone
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"]
  })
  let how = "it could not be started"
  let isKilled = false
  let leftover: string | undefined
  const stdout = child.stdio[1]
  const stderr = child.stdio[2]
  const socket = child.stdio[3]
  if (stdout === null || stderr === null || !(socket instanceof Socket)) throw new Error(how)
  forward(stdout, process.stdout)
  forward(stderr, process.stderr)
  socket.on("data", onBytes)
  // what cannot be sent to one that ended is answered by its end
  for (const pipe of [socket, child.stdio[4]]) pipe?.on("error", () => {})
  child.once("error", (error) => {
    how = `it could not be started: ${error.message}`
    exited.open()
  })
  child.once("exit", (code, signal) => {
    how = signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`
    // what it has started does not outlive it
    if (pid !== undefined && isGroupAlive(pid)) {
      if (!isKilled) leftover = `something of process group ${pid} was left, and was killed`
      signalTo(-pid, "SIGKILL")
    }
    // what it sent before is still to be read
    if (socket.closed) exited.open()
    else socket.once("close", () => exited.open())
  })
  const { pid } = child
  return {
    pid,
    exited,
    exit: () => how,
    stderr: tailOf(stderr),
    send: (bytes) => {
      if (socket.writable) socket.write(Buffer.from(bytes))
    },
    leftover: () => leftover,
    kill: (limitMs) => {
      isKilled = true
      return pid === undefined ? Promise.resolve(nobody) : killGroup(pid, limitMs)
    }
  }
}

const nobody: Killed = { gone: true, how: "nothing to kill", durationMs: 0 }

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
