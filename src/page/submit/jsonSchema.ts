/** The part of JSON Schema (draft 2020-12) that a form can show. Other values are edited as JSON. */

export interface JsonSchema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly type?: string | ReadonlyArray<string>
  readonly title?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema
  readonly prefixItems?: ReadonlyArray<JsonSchema>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly minimum?: number
  readonly maximum?: number
}

/** How a value is edited. */
export type Field =
  | { readonly _tag: "Text" | "Number" | "Integer" | "Boolean" | "Json" }
  | { readonly _tag: "Choice"; readonly values: ReadonlyArray<unknown> }
  | { readonly _tag: "List"; readonly items: JsonSchema }
  | { readonly _tag: "Object"; readonly properties: ReadonlyArray<Property> }

export interface Property {
  readonly name: string
  readonly schema: JsonSchema
  readonly isRequired: boolean
}

/** Schemas refer to themselves: deeper than this a value is edited as JSON. */
const mostLevels = 6

export const fieldOf = (given: JsonSchema, root: JsonSchema, level = 0): Field => {
  const schema = resolved(given, root)
  if (schema === undefined || level > mostLevels) return { _tag: "Json" }
  const choices = choicesOf(schema, root)
  if (choices !== undefined) return { _tag: "Choice", values: choices }
  switch (schema.type) {
    case "string":
      return { _tag: "Text" }
    case "number":
      return { _tag: "Number" }
    case "integer":
      return { _tag: "Integer" }
    case "boolean":
      return { _tag: "Boolean" }
    case "array":
      return schema.items === undefined || (schema.prefixItems ?? []).length > 0
        ? { _tag: "Json" }
        : { _tag: "List", items: schema.items }
    case "object":
      return schema.properties === undefined
        ? { _tag: "Json" }
        : { _tag: "Object", properties: propertiesOf(schema.properties, schema.required ?? []) }
    default:
      return { _tag: "Json" }
  }
}

const propertiesOf = (properties: Readonly<Record<string, JsonSchema>>, required: ReadonlyArray<string>) =>
  Object.entries(properties).map(([name, schema]) => ({ name, schema, isRequired: required.includes(name) }))

/** Returns the values of a schema that allows only some, each of which is a text, a number or a boolean. */
const choicesOf = (schema: JsonSchema, root: JsonSchema): ReadonlyArray<unknown> | undefined => {
  if (schema.enum !== undefined) return schema.enum.every(isPlain) ? schema.enum : undefined
  if (schema.const !== undefined) return isPlain(schema.const) ? [schema.const] : undefined
  const options = schema.anyOf ?? schema.oneOf
  if (options === undefined) return undefined
  const each = options.map((option) => choicesOf(resolved(option, root) ?? {}, root))
  return each.every((values) => values !== undefined) ? each.flat() : undefined
}

const isPlain = (value: unknown): boolean => value === null || ["string", "number", "boolean"].includes(typeof value)

/** Follows references within the document; `undefined` if one leads nowhere. */
const resolved = (schema: JsonSchema, root: JsonSchema, hops = 0): JsonSchema | undefined => {
  if (schema.$ref === undefined) return schema
  const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref)?.[1]?.replaceAll("~1", "/").replaceAll("~0", "~")
  const target = name === undefined ? undefined : root.$defs?.[decodeURIComponent(name)]
  return target === undefined || hops > mostLevels ? undefined : resolved(target, root, hops + 1)
}

/** Returns a value to begin with. What may be absent is absent. */
export const initialOf = (schema: JsonSchema, root: JsonSchema, level = 0): unknown => {
  if (schema.default !== undefined) return schema.default
  const field = fieldOf(schema, root, level)
  switch (field._tag) {
    case "Text":
      return ""
    case "Number":
    case "Integer":
      return 0
    case "Boolean":
      return false
    case "Choice":
      return field.values[0]
    case "List":
      return []
    case "Object":
      return Object.fromEntries(
        field.properties.filter(({ isRequired }) => isRequired)
          .map(({ name, schema }) => [name, initialOf(schema, root, level + 1)])
      )
    case "Json":
      return null
  }
}
