import type { ChildProcess } from "../process/childProcess.ts"
import type { Descendant } from "../process/descendants.ts"
import { type Ended, leftoverOf } from "../process/endDescendants.ts"
import type { Leftover } from "../process/processContext.ts"
import { isGroupAlive, type Killed, killGroup, until } from "../process/processGroup.ts"
import { isStill, type ProcessEntry } from "../process/processTable.ts"

/** The limit of a kill, with the check that the process is gone. */
const killMs = 2_000
/** The time that processes which outlived the group of the job have to end at a SIGTERM: they have had that of the job. */
const politeMs = 100

/** All processes of a job: its own, those of its group, those of its hosts, and whatever else it has started. */
export class JobFamily {
  readonly #child: ChildProcess
  /** The processes of its hosts that it was proved to have started, by their ids. */
  readonly #hosts = new Map<number, ProcessEntry>()
  #killed: Promise<Killed> | undefined
  /** The processes that it had started and that were there when its group was killed. */
  #rest: ReadonlyArray<Descendant> = []

  constructor(child: ChildProcess) {
    this.#child = child
  }

  /** The ids of its process and of those of its hosts, as far as they run here. */
  get pids(): ReadonlyArray<number> {
    const hosts = Array.from(this.#hosts.values()).filter(isStill).map(({ pid }) => pid)
    const { pid } = this.#child
    return pid === undefined ? hosts : [pid, ...hosts]
  }

  /** True once neither its group nor anything else that it has started is there. */
  get isGone(): boolean {
    return !this.#child.isGroupAlive && this.#child.descendants.length === 0
  }

  /**
   * The id in an event is what the job says. A process of that id may be another's, and a host of Ray runs on another machine:
   * only one that the job is proved to have started is ever signalled.
   */
  noteHost(pid: number | undefined): void {
    const entry = pid === undefined ? undefined : this.#child.provenDescendant(pid)
    if (entry !== undefined && entry.group === entry.pid) this.#hosts.set(entry.pid, entry)
  }

  /** Kills its group, once. */
  kill(): Promise<Killed> {
    if (this.#killed === undefined) this.#rest = this.#child.descendants
    return this.#killed ??= this.#child.kill(killMs)
  }

  /**
   * Waits for hosts to end: they do so by themselves, because their owner has ended. One that has not within the limit, or by
   * the time that the end is urgent, is killed. Returns whether each is gone.
   */
  endHosts(
    pids: ReadonlyArray<number>,
    { isUrgent, limitMs }: { readonly limitMs: number; readonly isUrgent: () => boolean }
  ): Promise<ReadonlyArray<boolean>> {
    const hosts = pids.flatMap((pid) => this.#hosts.get(pid) ?? [])
    return Promise.all(hosts.map(async (host) => {
      const isGone = () => !isStill(host) && !isGroupAlive(host.pid)
      await until(() => isGone() || isUrgent(), limitMs)
      // what is left of a group without its leader is found by its mark
      return !isStill(host) || (await killGroup(host.pid, killMs)).gone
    }))
  }

  /** Ends what the job has started outside of its group, too, and names all that was left. */
  async endRest(): Promise<ReadonlyArray<Leftover>> {
    const ends = new Map(this.#rest.map(({ command, pid }): [number, Ended] => [pid, { command, pid, end: "killed" }]))
    for (const ended of await this.#child.endDescendants(politeMs)) ends.set(ended.pid, ended)
    return Array.from(ends.values(), leftoverOf)
  }
}
