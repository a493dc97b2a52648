/**
 * The entry point of the guard of a Ray host. An actor starts it, in a session of its own. The guard takes two
 * connections from the owner: one for itself, and one for calls, which it hands over to the host that it starts. Once
 * its actor or its owner is gone, or asks for it, the host has its limit to clean up, and is killed with all it started.
 *
 * A guard runs without Effect, and its times are timers of Node's: it has to start at once, and to outlive what it guards.
 */
import { createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { longestMs } from "../../base/timers.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import { type Killed, signal, statOf, until } from "../../process/processGroup.ts"
import { type HostProcess, startHostProcess } from "../transport/hostProcess.ts"
import { actorEnded, childOf, type GuardState, hostEnded, hostStarted, stopping, waiting } from "./guardState.ts"
import { type KeyedConnection, receive } from "./keyedConnection.ts"

/** The first message of the actor. */
interface Orders {
  readonly key: string
  /** The address that the guard listens on. */
  readonly host: string
  /** The time that the host has to clean up; `null` for no limit. */
  readonly limitMs: number | null
}

/** The addition to the limit: time to exit. */
const graceMs = 750
/** The delay after which the owner is sent what the host prints to stderr. */
const stderrMs = 50
/** The largest number of connections that have not proved that they have the key. The oldest is closed for another one. */
const mostStrangers = 32
/** The time that a process group has to end once it is killed. */
const killMs = 2_000

const sendToActor = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const guard = ({ host, key, limitMs }: Orders) => {
  const actor = process.ppid
  let owner: KeyedConnection | undefined
  let state = waiting

  /** Exits once both the actor and the host have ended, and says whether the worker process of the actor is gone. */
  const leave = async () => {
    const gone = await until(() => !signal(actor, 0) || ["Z", "X"].includes(statOf(actor)[0] ?? ""), killMs)
    if (owner === undefined || owner.closed.isOpen) process.exit(0)
    owner.say({ actorGone: gone })
    owner.socket.end(() => process.exit(0))
    setTimeout(() => process.exit(0), killMs)
  }

  /** Enters the next state, and does what belongs to it. */
  const become = (next: GuardState) => {
    const before = state
    if (next === before) return
    state = next
    // the actor waits for the end of a host that was never started, too
    if (before._tag === "Waiting" && next._tag !== "Running") sendToActor({ gone: true })
    if (before._tag === "Running" && next._tag !== "Ended") endWithinLimit(before.child)
    if (next._tag === "Leaving") void leave()
  }

  /** Makes the host clean up within its limit. */
  const endWithinLimit = (child: HostProcess) => {
    child.abandon()
    if (limitMs === null) return
    setTimeout(() => void child.kill(killMs), Math.min(limitMs + graceMs, longestMs)).unref()
  }

  const start = (connection: KeyedConnection, secret: Uint8Array) => {
    if (state._tag !== "Waiting") return void connection.socket.destroy()
    // nobody else is waited for
    server.close()
    const started = startHostProcess({ socket: connection.release(), secret })
    become(hostStarted(state, started))
    // the host has a copy of it
    connection.socket.destroy()
    const stderr = tailOf(started.stderr)
    for (const stream of [started.stdout, started.stderr]) forward(stream, process.stderr)
    let pending: NodeJS.Timeout | undefined
    started.stderr.on("data", () => {
      pending ??= setTimeout(() => {
        pending = undefined
        owner?.say({ stderr: stderr() })
      }, stderrMs).unref()
    })
    sendToActor({ pid: started.pid })
    owner?.say({ pid: started.pid })
    started.ended.onOpen(async () => {
      const { gone } = await started.kill(killMs)
      // output may still have to be read, but processes that the host has started may keep the pipe open
      await until(() => started.stderr.closed, stderrMs)
      sendToActor({ gone })
      owner?.say({ stderr: stderr() })
      owner?.say({
        how: state._tag === "Orphaned" ? `its actor has ended, ${started.how()}` : started.how(),
        leftover: started.leftover(),
        gone
      })
      become(hostEnded(state))
    })
  }

  const stop = () => become(stopping(state))

  /** Kills the host, with what it has started and left behind. */
  const kill = (withinMs: number): Promise<Killed> =>
    childOf(state)?.kill(withinMs) ?? Promise.resolve({ gone: true, how: "nothing to kill", durationMs: 0 })

  const own = (connection: KeyedConnection) => {
    owner = connection
    connection.listen(({ kill: withinMs }) => {
      if (typeof withinMs !== "number" || !(withinMs >= 0)) return stop()
      void kill(withinMs).then((killed) => connection.say({ killed }))
    })
    connection.closed.onOpen(stop)
  }

  const strangers = new Set<Socket>()
  const server = createServer((socket) => {
    const forget = () => strangers.delete(socket)
    strangers.add(socket.once("close", forget))
    const [oldest] = strangers
    if (strangers.size > mostStrangers) oldest?.destroy()
    receive(socket, Buffer.from(key, "hex"), (connection, role, secret) => {
      forget()
      if (role === "data" && owner !== undefined) start(connection, secret)
      else if (role === "guard" && owner === undefined) own(connection)
      else connection.socket.destroy()
    })
  })
  server.listen(0, host, () => {
    const address = server.address()
    if (typeof address === "object" && address !== null) sendToActor({ port: address.port })
  })
  return {
    stop,
    actorEnded: () => become(actorEnded(state))
  }
}

let guarding: ReturnType<typeof guard> | undefined
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
createInterface(process.stdin)
  .on("line", (line) => {
    if (guarding !== undefined) guarding.stop()
    // safe: `host.py` comes with this file
    else guarding = guard(JSON.parse(line) as Orders)
  })
  .on("close", () => guarding === undefined ? process.exit(0) : guarding.actorEnded())
