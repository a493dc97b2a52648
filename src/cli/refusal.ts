import * as Schema from "effect/Schema"

/** Usage, configuration or payload is wrong: nothing was started. Exit code 2. */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { message: Schema.String }) {}

/** Whatever keeps a command from starting is said as one. */
export const asRefusal = (error: { readonly message: string }): Refusal =>
  error instanceof Refusal ? error : new Refusal({ message: error.message })
