import type { CallCounts } from "./callCounts.ts"
import type { Recorder } from "./recorder.ts"
import { serviceLabel } from "./runMeter.ts"

/** Records the calls of one job to hosts of its services. Several jobs with one name are counted together. */
export class CallRecords {
  readonly #recorder: Recorder
  readonly #job: string
  /** The number of calls that each service has now, with its labels. */
  readonly #active = new Map<string, { readonly labels: Record<string, string>; readonly calls: number }>()

  constructor(recorder: Recorder, job: string) {
    this.#recorder = recorder
    this.#job = job
  }

  record(counts: ReadonlyArray<CallCounts>): void {
    for (const one of counts) {
      const labels = { job_name: this.#job, service: serviceLabel(one.service) }
      if (one._tag === "Active") {
        this.#setActive(`${one.host} ${one.service}`, { ...labels, host: one.host }, one.calls)
        continue
      }
      const { error, method, side } = one
      this.#recorder.addAll(
        `rpc.${side}.call.duration`,
        { ...labels, "rpc.method": method, ...(error === undefined ? {} : { "error.type": error }) },
        one
      )
    }
  }

  /** The attempt has ended, and none of its calls is left. */
  end(): void {
    for (const [key, { labels }] of this.#active) this.#setActive(key, labels, 0)
    this.#active.clear()
  }

  #setActive(key: string, labels: Record<string, string>, calls: number): void {
    const before = this.#active.get(key)?.calls ?? 0
    this.#active.set(key, { labels, calls })
    this.#recorder.change("autostop.host.calls.active", calls - before, labels)
  }
}
