import type { Activity, ActivityTimes, StageTime, StageTimes } from "./stageTimes.ts"

/** Measures one stream of a stage: its activity at each time, and how long its chunks take. */
export class StageTimer {
  readonly #times: StageTimes
  readonly #time: StageTime
  readonly #downstream: () => StageTimer | undefined
  readonly #isParallel: boolean
  #activity: Activity
  /** The times since the last `collect`. */
  #ms: ActivityTimes = { busy: 0, idle: 0, backpressured: 0 }
  /** The beginning of what is measured and not collected; of the activity. */
  #from: number
  #since: number
  /** The stage downstream, while this one is asked for a chunk. */
  #asking: StageTimer | undefined
  #isAsked = false
  /** The number of stages upstream that are asked for a chunk. */
  #awaited = 0
  /** The work on the chunk under way, and when it went on; `NaN` if that is not timed. */
  #worked = Number.NaN
  #resumed = Number.NaN

  /** `downstream` returns the timer of the stage that takes from this one, once there is one. */
  constructor(
    times: StageTimes,
    { downstream, isParallel, time }: {
      readonly time: StageTime
      readonly downstream: () => StageTimer | undefined
      /** `true` for a stage that works on several elements, and says itself what it does. */
      readonly isParallel: boolean
    }
  ) {
    this.#times = times
    this.#time = time
    this.#downstream = downstream
    this.#isParallel = isParallel
    this.#activity = isParallel ? "idle" : "backpressured"
    this.#from = this.#since = times.now()
    times.add(this)
  }

  /** The stage is asked for a chunk, and works on it, unless it waits for a stage upstream. */
  ask(): void {
    const at = this.#times.begin()
    this.#tell(at)
    const isAwaiting = this.#awaited > 0
    this.#worked = 0
    this.#resumed = isAwaiting ? Number.NaN : at
    this.#change(isAwaiting ? "idle" : "busy", at)
  }

  /** A source waits for the stream before it: it is idle, but the time belongs to that of the chunk. */
  wait(): void {
    this.#change("idle", this.#times.read())
  }

  /** The stage hands a chunk on. */
  handOn(): void {
    const at = this.#times.read()
    // a chunk that takes long is timed to its end, whatever else is not
    const end = Number.isNaN(at) && !Number.isNaN(this.#resumed) ? this.#times.now() : at
    const worked = this.#worked + end - this.#resumed
    if (worked >= 0) this.#time.durations.record(worked)
    this.#resumed = Number.NaN
    this.#change("backpressured", at)
    this.#untell(at)
  }

  /** A stage that works in parallel tells the one that takes from it that it is asked. Its activity is its own. */
  askParallel(): void {
    this.#tell(this.#times.read())
  }

  handOnParallel(): void {
    this.#untell(this.#times.read())
  }

  /** The activity of a stage that works in parallel. */
  become(activity: Activity): void {
    if (activity !== this.#activity) this.#change(activity, this.#times.read())
  }

  /** Returns the time at which the work on one element begins, or `NaN` if it is not timed. */
  begin(): number {
    return this.#times.begin()
  }

  /** The work has ended on an element that was begun at this time. */
  end(begun: number): void {
    if (!Number.isNaN(begun)) this.#time.durations.record(this.#times.now() - begun)
  }

  /** The stream has ended. */
  close(): void {
    this.#untell(this.#times.read())
    this.#times.remove(this)
  }

  settle(at: number): void {
    this.#ms[this.#activity] += at - this.#since
    this.#since = at
  }

  collect(until: number, at: number): void {
    const measured = until - this.#from
    // where nothing was measured, the activity is taken to last
    if (measured <= 0) this.#ms[this.#activity] += at - this.#from
    const factor = measured > 0 ? (at - this.#from) / measured : 1
    const { ms } = this.#time
    ms.busy += this.#ms.busy * factor
    ms.idle += this.#ms.idle * factor
    ms.backpressured += this.#ms.backpressured * factor
    this.#ms = { busy: 0, idle: 0, backpressured: 0 }
    this.#from = this.#since = at
  }

  #change(activity: Activity, at: number): void {
    if (!Number.isNaN(at)) this.settle(at)
    this.#activity = activity
  }

  #tell(at: number): void {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#asking = this.#downstream()
    this.#asking?.awaits(1, at)
  }

  #untell(at: number): void {
    if (!this.#isAsked) return
    this.#isAsked = false
    this.#asking?.awaits(-1, at)
    this.#asking = undefined
  }

  /** Another stage upstream is asked, or is asked no longer. Only a stage that is asked itself waits for it. */
  awaits(change: 1 | -1, at: number): void {
    const wasAwaiting = this.#awaited > 0
    this.#awaited += change
    const isAwaiting = this.#awaited > 0
    if (isAwaiting === wasAwaiting || this.#isParallel || !this.#isAsked) return
    if (isAwaiting) {
      this.#worked += at - this.#resumed
      this.#resumed = Number.NaN
    } else this.#resumed = at
    this.#change(isAwaiting ? "idle" : "busy", at)
  }
}
