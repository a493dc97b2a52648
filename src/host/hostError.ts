import * as Schema from "effect/Schema"

/**
 * A call that a host did not answer, or a host that did not start.
 *
 * **Details**
 *
 * The `reason` is one of
 *
 * - `start`: the host could not start; the service, and with it the job, fails
 * - `lost`: the host ended while it had the call
 * - `stopped`: the service has been stopped, and takes no more calls
 *
 * @category errors
 * @since 0.1.0
 */
export class HostError extends Schema.TaggedError<HostError>()("HostError", {
  /** The name of the service in the report. */
  service: Schema.String,
  reason: Schema.Literals(["start", "lost", "stopped"]),
  message: Schema.String
}) {
  /** @internal */
  static of(service: string, reason: keyof typeof happened, why: string): HostError {
    return new HostError({ service, reason, message: `the host of "${service}" ${happened[reason]}: ${why}` })
  }
}

const happened = { start: "could not start", lost: "was lost", stopped: "was stopped" } as const
