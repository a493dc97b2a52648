/** The program of a watchdog. See `watchdog.ts`, which tells it what to watch, a line for each child. */
import { LineReader } from "./lineReader.ts"
import { childProcesses } from "./ownedProcesses.ts"
import { isGroupAlive, signal } from "./processGroup.ts"
import { readProcess } from "./processTable.ts"
import { startTimer } from "./timers.ts"
import { disowned, type Watched } from "./watchdog.ts"

/** The interval at which it looks whether there is anything left. */
const lookMs = 50

const watched = new Map<number, Watched>()

const readLine = (line: string): void => {
  const [pid = "", start, limitMs, mark] = line.split(" ")
  const child = watched.get(Number(pid))
  if (start === disowned) { if (child !== undefined) killLater(child) }
  else if (mark === undefined) watched.delete(Number(pid))
  else watched.set(Number(pid), { pid: Number(pid), start: Number(start), limitMs: Number(limitMs), mark })
}

/** Returns false if the id belongs to a later process. A group keeps the id of its leader as long as it has a member. */
const isIts = ({ pid, start }: Watched): boolean => (readProcess(pid)?.start ?? start) === start

const killLater = (child: Watched): void =>
  void startTimer(child.limitMs, () => watched.has(child.pid) && kill(child), { keepsAlive: true })

const kill = (child: Watched): void => {
  const { mark, pid } = child
  watched.delete(pid)
  childProcesses(pid, mark, { all: false }).kill()
  if (isIts(child)) signal(-pid, "SIGKILL")
}

/** Whoever has started the children has ended. They end by themselves, or are killed when they have had their time. */
const onLost = (): void => {
  for (const child of watched.values()) killLater(child)
  const look = () => {
    for (const child of watched.values()) if (!isIts(child) || !isGroupAlive(child.pid)) watched.delete(child.pid)
    if (watched.size === 0) process.exit()
  }
  look()
  setInterval(look, lookMs)
}

// it ends with its process, and not with what ends that
for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(name, () => {})

const reader = new LineReader({ longest: 65_536, onLine: readLine, onTooLong: () => {} })
process.stdin.on("data", (bytes: Buffer) => reader.feed(bytes))
process.stdin.on("error", () => {})
process.stdin.once("close", onLost)
