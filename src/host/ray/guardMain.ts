/**
 * Where the guard of a Ray host begins. An actor starts it, in a session of its own; it takes a connection for itself
 * and one for the calls, and hands the latter over to the host that it starts: calls do not pass through here. Once its
 * actor or its owner is gone, or asks for it, the host has its limit to clean up, and is killed with all it started.
 */
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import { signal, statOf, until } from "../../process/processGroup.ts"
import { longestMs } from "../../base/timers.ts"
import { type HostProcess, startHostProcess } from "../transport/hostProcess.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import { type Peer, receive } from "./keyedConnection.ts"

/** What the actor says first. */
interface Orders {
  readonly key: string
  readonly host: string
  /** How long the host may take to clean up; `null` for as long as it takes. */
  readonly limitMs: number | null
}

/** What is added to the limit: time to exit. */
const graceMs = 750
/** How soon the owner is told of what the host prints to stderr. */
const newsMs = 50
/** How long a process group may take to end once it is killed. */
const killMs = 2_000

/** Tells the actor. */
const tell = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const guard = ({ host, key, limitMs }: Orders) => {
  const actor = process.ppid
  let owner: Peer | undefined
  let child: HostProcess | undefined
  let isOver = false
  let isAlone = false
  /** No host is started any longer. */
  let isStopped = false

  /** Ends once nothing is left to see the end of. */
  const end = async () => {
    if (!isAlone || (child !== undefined && !isOver)) return
    const gone = await until(() => !signal(actor, 0) || ["Z", "X"].includes(statOf(actor)[0] ?? ""), killMs)
    if (owner === undefined || owner.closed.isOpen) process.exit(0)
    owner.say({ actorGone: gone })
    owner.socket.end(() => process.exit(0))
    setTimeout(() => process.exit(0), killMs)
  }

  const start = (peer: Peer) => {
    if (child !== undefined || isStopped) return void peer.socket.destroy()
    const started = child = startHostProcess(peer.release())
    // the host has it now
    peer.socket.destroy()
    const stderr = tailOf(started.stderr)
    for (const stream of [started.stdout, started.stderr]) forward(stream, process.stderr)
    let news: NodeJS.Timeout | undefined
    started.stderr.on("data", () => {
      news ??= setTimeout(() => {
        news = undefined
        owner?.say({ stderr: stderr() })
      }, newsMs).unref()
    })
    tell({ pid: started.pid })
    owner?.say({ pid: started.pid })
    started.ended.onOpen(async () => {
      const { gone } = await started.kill(killMs)
      // what it printed before is still to be read; what it has started may keep that from ending
      await until(() => started.stderr.closed, newsMs)
      isOver = true
      tell({ gone })
      owner?.say({ stderr: stderr() })
      owner?.say({
        how: isAlone ? `its actor has ended, ${started.how()}` : started.how(),
        leftover: started.leftover(),
        gone
      })
      void end()
    })
  }

  /** Has the host clean up. */
  const stop = () => {
    isStopped = true
    // the actor waits for the end of what was never started, too
    if (child === undefined) return tell({ gone: true })
    if (isOver) return
    child.abandon()
    if (limitMs === null) return
    setTimeout(() => void child?.kill(killMs), Math.min(limitMs + graceMs, longestMs)).unref()
  }

  const own = (peer: Peer) => {
    owner = peer
    peer.listen(({ kill }) => {
      if (typeof kill !== "number") return stop()
      void (child?.kill(kill) ?? Promise.resolve({ gone: true, how: "nothing to kill", durationMs: 0 }))
        .then((killed) => peer.say({ killed }))
    })
    peer.closed.onOpen(stop)
  }

  const server = createServer((socket) =>
    receive(socket, Buffer.from(key, "hex"), (peer, role) => {
      if (role === "data" && owner !== undefined) start(peer)
      else if (role === "guard" && owner === undefined) own(peer)
      else peer.socket.destroy()
    })
  )
  server.listen(0, host, () => {
    const address = server.address()
    if (typeof address === "object" && address !== null) tell({ port: address.port })
  })
  return {
    stop,
    alone: () => {
      isAlone = true
      stop()
      void end()
    }
  }
}

let guarding: ReturnType<typeof guard> | undefined
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
createInterface(process.stdin)
  .on("line", (line) => {
    if (guarding !== undefined) guarding.stop()
    // safe: it is what the actor says, which comes with this file
    else guarding = guard(JSON.parse(line) as Orders)
  })
  .on("close", () => guarding === undefined ? process.exit(0) : guarding.alone())
