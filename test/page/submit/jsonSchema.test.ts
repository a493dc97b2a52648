import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { payloadFault } from "../../../src/page/submit/faultPath.ts"
import { fieldOf, initialOf, type JsonSchema } from "../../../src/page/submit/jsonSchema.ts"

describe("the form of a payload", () => {
  it("has a field for each kind of value, and JSON for what it cannot hold", () => {
    const root: JsonSchema = {
      type: "object",
      required: ["path", "mode", "tree"],
      properties: {
        path: { type: "string" },
        mode: { anyOf: [{ const: "a" }, { enum: ["b", "c"] }] },
        limit: { type: "integer" },
        rows: { type: "array", items: { type: "number" } },
        either: { anyOf: [{ type: "string" }, { type: "number" }] },
        tree: { $ref: "#/$defs/Tree" }
      },
      $defs: { Tree: { type: "object", properties: { left: { $ref: "#/$defs/Tree" } } } }
    }
    const field = fieldOf(root, root)
    if (field._tag !== "Object") return assert.fail(field._tag)
    assert.deepStrictEqual(
      field.properties.map(({ schema }) => fieldOf(schema, root)._tag),
      ["Text", "Choice", "Integer", "List", "Json", "Object"]
    )
    assert.deepStrictEqual(initialOf(root, root), { path: "", mode: "a", tree: {} })
  })

  it("ends, although a Schema refers to itself or leads nowhere", () => {
    const endless: JsonSchema = {
      $ref: "#/$defs/A",
      $defs: { A: { $ref: "#/$defs/A" } }
    }
    assert.strictEqual(fieldOf(endless, endless)._tag, "Json")
    assert.strictEqual(fieldOf({ $ref: "https://example.com/a" }, {})._tag, "Json")
    const required: JsonSchema = {
      $ref: "#/$defs/A",
      $defs: { A: { type: "object", required: ["a"], properties: { a: { $ref: "#/$defs/A" } } } }
    }
    assert.isObject(initialOf(required, required))
  })

  it.prop("never throws, whatever the Schema is", [Schema.Json], ([json]) => {
    // safe: the manager may send any JSON
    const schema = json as JsonSchema
    if (typeof schema === "object" && schema !== null) assert.isString(fieldOf(schema, schema)._tag)
  })
})

describe("the path of a refusal", () => {
  it("is where its message says", () => {
    assert.deepStrictEqual(payloadFault("Expected number at [\"rows\"][0][\"a \\\"b\\\"\"]").path, [
      "rows",
      0,
      "a \"b\""
    ])
    assert.deepStrictEqual(payloadFault("too many jobs wait").path, [])
  })
})
