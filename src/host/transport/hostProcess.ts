import type { Socket } from "node:net"
import type { Readable } from "node:stream"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { ChildProcess, describeEnd } from "../../process/childProcess.ts"
import { leftoverOf } from "../../process/endDescendants.ts"
import type { Killed } from "../../process/processGroup.ts"
import { entries } from "../entryPoints.ts"
import { ended as processEnded, killed, running } from "./hostProcessState.ts"
import { securedArgument } from "./securedArgument.ts"

/** The process of a host, as the process that started it sees it. */
export interface HostProcess {
  readonly pid: number | undefined
  /** Opens when it has ended, and so has everything that it had started. */
  readonly ended: OneShotLatch
  /** Says how it ended, once it has. */
  readonly how: () => string
  /** Names what it had started and did not end. */
  readonly leftover: () => string | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** This end of its frames, unless it was handed a connection for them. */
  readonly frames: Socket | undefined
  /** Tells it that its owner has ended. */
  readonly abandon: () => void
  readonly kill: (limitMs: number) => Promise<Killed>
}

/** A connection that is handed over to a host, and the secret with which both its ends encrypt it. */
export interface HandedConnection {
  readonly socket: Socket
  readonly secret: Uint8Array
}

/** Starts the process of a host. Its frames come on a pipe, or on the connection that is handed over to it. */
export const startHostProcess = (connection?: HandedConnection): HostProcess => {
  const child = new ChildProcess({
    entry: entries.processMain,
    args: connection === undefined ? [] : [securedArgument],
    output: "stdout and stderr",
    connection: connection?.socket
  })
  // no argument and no variable, because others can see those
  if (connection !== undefined) child.send({ secret: Buffer.from(connection.secret).toString("hex") })
  const { ended, pid, result: frames, stderr, stdout } = child
  const how = () => `its process ${child.end === undefined ? "could not be started" : describeEnd(child.end)}`
  if (stdout === undefined || stderr === undefined) throw new Error(how())
  let state = running
  ended.onOpen(() => {
    state = processEnded(state, killRest(child))
  })
  return {
    pid,
    ended,
    how,
    leftover: () => state._tag === "Ended" ? state.leftover : undefined,
    stdout,
    stderr,
    frames,
    abandon: () => child.disown(),
    kill: (limitMs) => {
      state = killed(state)
      return child.kill(limitMs)
    }
  }
}

/** Kills what a host has left behind, and names it. A host that exits has ended what it started beyond its group. */
const killRest = (child: ChildProcess): string | undefined => {
  const isGroupLeft = child.isGroupAlive
  if (!isGroupLeft && child.end?._tag === "Exited") return undefined
  const killed = child.killAtOnce().map(({ command, pid }) => leftoverOf({ command, pid, end: "killed" }).detail)
  if (killed.length > 0) return killed.join(", ")
  return isGroupLeft ? `something of process group ${child.pid} was left, and was killed` : undefined
}
