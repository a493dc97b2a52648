import * as Schema from "effect/Schema"

/** Usage, configuration or payload is wrong: nothing was started. Exit code 2. */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { message: Schema.String }) {}
