import * as Schema from "effect/Schema"
import { isNestedWithin } from "../../base/nesting.ts"
import { attempt } from "../../base/valueText.ts"
import type * as Job from "../../Job.ts"

/** The largest number of characters of a JSON Schema: one that is larger is of no use to a person. */
const longest = 256 * 1024

/**
 * Returns the JSON Schema of what a payload is as JSON, in a single document. There is none if it cannot be written as one, or is
 * too large.
 */
export const payloadSchemaOf = ({ payload }: Job.AnyContract): Schema.Json | undefined =>
  attempt(() => {
    const { definitions, schema } = Schema.toJsonSchemaDocument(payload)
    const text = JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      ...schema,
      ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
    })
    // safe: it was written as JSON
    const json = JSON.parse(text) as Schema.Json
    return text.length <= longest && isNestedWithin(json) ? json : undefined
  })
