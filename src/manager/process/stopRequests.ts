import * as Cause from "effect/Cause"
import type { Run } from "../../internal/run/run.ts"
import type { StopRequest } from "../../jobProcess/protocol.ts"

type State =
  /** The job has no run yet; the requests wait for it. */
  | { readonly _tag: "Loading"; readonly waiting: ReadonlyArray<StopRequest> }
  /** The run takes each request at once. */
  | { readonly _tag: "Running"; readonly run: Pick<Run, "fail" | "stop"> }

/** The requests to stop the job of this process, also those that come while its module is loading. */
export class StopRequests {
  #state: State = { _tag: "Loading", waiting: [] }

  get hasRun(): boolean {
    return this.#state._tag === "Running"
  }

  add(request: StopRequest): void {
    if (this.#state._tag === "Loading") {
      this.#state = { _tag: "Loading", waiting: [...this.#state.waiting, request] }
      return
    }
    const { run } = this.#state
    const { reason, trigger } = request
    // the job has exceeded a limit: it has failed, however it ends
    if (trigger === "failed") run.fail(Cause.die(new Error(reason)), reason ?? "it exceeded a limit")
    run.stop(request)
  }

  /** Hands the requests over to the run, those that wait first. */
  attach(run: Pick<Run, "fail" | "stop">): void {
    const before = this.#state
    this.#state = { _tag: "Running", run }
    if (before._tag === "Running") return
    for (const request of before.waiting) this.add(request)
  }
}
