import * as Duration from "effect/Duration"
import type { StopPolicy } from "../../StopPolicy.ts"

/** A policy in milliseconds; `Infinity` is no limit. */
export interface Limits {
  readonly strategy: StopPolicy["strategy"]
  readonly delay: number
  readonly drainTimeout: number
  readonly cancelTimeout: number
  readonly releaseTimeout: number
  readonly releaseConcurrency: number | "unbounded"
  readonly onReleaseFailure: "continue" | "kill"
  readonly killTimeout: number
  readonly deadline: number
  readonly startTimeout: number
}

export const limitsOf = (policy: StopPolicy): Limits => ({
  strategy: policy.strategy,
  delay: Duration.toMillis(policy.delay),
  drainTimeout: Duration.toMillis(policy.drainTimeout),
  cancelTimeout: Duration.toMillis(policy.cancelTimeout),
  releaseTimeout: Duration.toMillis(policy.releaseTimeout),
  releaseConcurrency: policy.releaseConcurrency,
  onReleaseFailure: policy.onReleaseFailure,
  killTimeout: Duration.toMillis(policy.killTimeout),
  deadline: Duration.toMillis(policy.deadline),
  startTimeout: Duration.toMillis(policy.startTimeout)
})
