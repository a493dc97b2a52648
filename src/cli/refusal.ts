import * as Schema from "effect/Schema"

/** The command cannot do what it was asked to: usage, configuration or payload is wrong. The exit code is 2. */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { message: Schema.String }) {}

/** Makes a refusal of any error that keeps a command from starting. */
export const asRefusal = (error: { readonly message: string }): Refusal =>
  error instanceof Refusal ? error : new Refusal({ message: error.message })
