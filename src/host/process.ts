import { spawn } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { Notice } from "../internal/notice.ts"
import { entry } from "./entry.ts"
import { isGroupAlive, signal, until } from "./group.ts"
import type { Killed, Open } from "./link.ts"
import { forward, tailOf } from "./output.ts"

/** How long a group may take to end at a SIGTERM: its host has had its whole limit before. */
const politeMs = 100

/** A host in a process of its own, which leads a group of its own: what it starts is killed with it. */
export const openProcess: Open = (onBytes) => {
  const exited = new Notice()
  const child = spawn(process.execPath, [...execArgv(), fileURLToPath(entry("processMain"))], {
    detached: true,
    // 3 carries the frames; 4 carries nothing: its end tells the host that its owner is gone
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"]
  })
  let how = "it could not be started"
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
    send: (parts) => {
      if (socket.writable) { for (const part of parts) socket.write(part) }
    },
    kill: (limitMs) => pid === undefined ? Promise.resolve(nobody) : killGroup(pid, limitMs)
  }
}

const nobody: Killed = { gone: true, how: "nothing to kill", durationMs: 0 }

/** SIGTERM, SIGKILL soon after, and a look at whether any process of the group is left. */
const killGroup = async (group: number, limitMs: number): Promise<Killed> => {
  const since = performance.now()
  const killed = (gone: boolean, how: string): Killed => ({ gone, how, durationMs: performance.now() - since })
  const isGone = () => !isGroupAlive(group)
  if (isGone()) return killed(true, "it was gone")
  signal(-group, "SIGTERM")
  if (await until(isGone, Math.min(politeMs, limitMs / 2))) return killed(true, "SIGTERM")
  signal(-group, "SIGKILL")
  return killed(await until(isGone, Math.max(politeMs, limitMs - (performance.now() - since))), "SIGKILL")
}

/** A host runs as its owner does, but is not debugged on its owner's port, and has a program of its own. */
const execArgv = (): Array<string> => {
  const own: Array<string> = []
  for (let i = 0; i < process.execArgv.length; i++) {
    const argument = process.execArgv[i] ?? ""
    if (/^(--inspect|--eval=|--print=)/.test(argument)) continue
    if (/^(-e|-p|-pe|--eval|--print)$/.test(argument)) i++
    else own.push(argument)
  }
  return own
}
