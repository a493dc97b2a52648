import * as Schema from "effect/Schema"

/**
 * A call that its host could not answer. `start`: it did not start; `lost`: it ended while it had the call; `stopped`:
 * the service has been stopped.
 *
 * @category errors
 * @since 0.1.0
 */
export class HostError extends Schema.TaggedError<HostError>()("HostError", {
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
