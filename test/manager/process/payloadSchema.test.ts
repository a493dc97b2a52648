import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Job } from "../../../src/index.ts"
import { payloadSchemaOf } from "../../../src/manager/process/payloadSchema.ts"

const schemaOf = (payload: Schema.Struct.Fields) =>
  payloadSchemaOf(Job.make("it", { payload, run: () => Effect.void })) as Record<string, unknown> | undefined

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

describe("the JSON Schema of a job's payload", () => {
  it("says what the payload is as JSON, with the limits of its fields", () => {
    const schema = schemaOf({
      at: Schema.Date,
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
      mode: Schema.optionalKey(Schema.Literals(["fast", "slow"]))
    })
    if (schema === undefined) return assert.fail("there is none")
    assert.strictEqual(schema.$schema, "https://json-schema.org/draft/2020-12/schema")
    assert.strictEqual(schema.type, "object")
    assert.deepStrictEqual(schema.required, ["at", "count"])
    const properties = JSON.stringify(schema.properties)
    assert.match(properties, /"at":\{"type":"string"/)
    for (const part of ["\"minimum\":1", "\"maximum\":9", "\"fast\"", "\"slow\""]) assert.include(properties, part)
  })

  it("has what refers to itself as a definition", () => {
    const schema = schemaOf({ tree: Tree })
    assert.property(schema?.$defs, "Tree")
    assert.include(JSON.stringify(schema), "\"$ref\":\"#/$defs/Tree\"")
  })

  it("is there for a job without a payload", () => {
    assert.isDefined(schemaOf({}))
  })

  const odd: ReadonlyArray<readonly [what: string, payload: () => Schema.Struct.Fields]> = [
    ["larger than anybody reads", () => ({
      one: Schema.Literals(Array.from({ length: 300 }, (_, n) => `${"x".repeat(1_000)}${n}`))
    })],
    ["nested without an end", () => {
      let deep: Schema.Top = Schema.String
      for (let n = 0; n < 3_000; n++) deep = Schema.Struct({ deep })
      return { deep }
    }],
    ["that throws when it is described", () => ({
      one: Schema.String.annotate({
        get description(): string {
          throw new Error("it does not want to be described")
        }
      })
    })]
  ]
  for (const [what, payload] of odd) {
    it(`is left out, and nothing is thrown, if it is one ${what}`, () => {
      assert.isUndefined(attempted(payload))
    })
  }
})

/** A schema that cannot even be made has no JSON Schema either. */
const attempted = (payload: () => Schema.Struct.Fields) => {
  let fields
  try {
    fields = payload()
  } catch {
    return undefined
  }
  return schemaOf(fields)
}
