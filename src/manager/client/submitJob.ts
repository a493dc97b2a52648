/** Sends a submission until the manager answers. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { SubmitError } from "../../Environment.ts"
import type { Bundled } from "../code/bundler.ts"
import { backoff, type Client, failureText, isTransient, obstacle, submitBundled } from "./apiClient.ts"
import type { IdentifiedSubmission } from "./encodeSubmission.ts"

/** The number of attempts. A retry is safe, because a submission that is sent twice with one id is one job. */
const attempts = 3

/** The time for which a manager that is busy is asked again. */
const busyMs = 30_000

/** Submits a job. Fails if the manager refuses it, stays busy, or cannot be reached. */
export const submitJob = (
  client: Client,
  url: string,
  submission: IdentifiedSubmission,
  bundled: Bundled | undefined
): Effect.Effect<void, SubmitError> => {
  const { id, job } = submission
  return Effect.gen(function*() {
    const until = (yield* Clock.currentTimeMillis) + busyMs
    for (let failures = 0, refusals = 0;;) {
      const submitted = yield* Effect.result(submitBundled(client, submission, bundled))
      if (submitted._tag === "Success") return
      const error = submitted.failure
      if (error._tag === "Busy") {
        if ((yield* Clock.currentTimeMillis) < until) yield* backoff(refusals++)
        else return yield* new SubmitError({ job, reason: "busy", message: failureText(error) })
        continue
      }
      const isUnreachable = isTransient(error) && error._tag !== "Unavailable" && error._tag !== "StoreError"
      if (!isUnreachable || ++failures === attempts) {
        const message = isUnreachable
          ? `the job manager at ${url} cannot be reached; check the address and that it runs (${failureText(error)})`
          : failureText(error)
        const reason = isUnreachable || obstacle(error) !== undefined ? "unreachable" : "refused"
        return yield* new SubmitError({ job, reason, message })
      }
      yield* backoff(failures)
    }
    // a submitter that is interrupted before the answer may have started a job
  }).pipe(
    Effect.onInterrupt(() => stopUnanswered(client, id)),
    Effect.withSpan(`submit ${job}`, { kind: "producer", attributes: { "autostop.job.id": id } })
  )
}

/** Stops a job whose submit was not answered. The manager may not be reached, so this gives up after a few attempts. */
const stopUnanswered = Effect.fnUntraced(function*(client: Client, id: string) {
  for (let failures = 0; failures < attempts; failures++) {
    const stop = client.jobs.stop({
      params: { id },
      payload: { reason: "the fiber that submitted it was interrupted" }
    })
    const stopped = yield* Effect.result(Effect.timeout(stop, "2 seconds"))
    if (stopped._tag === "Success") return
    yield* backoff(failures)
  }
})
