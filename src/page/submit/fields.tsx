/** A form for a value that a JSON Schema describes. */
import type { ComponentChildren } from "preact"
import { useId, useState } from "preact/hooks"
import { shown } from "../parts/text.ts"
import { isAt, type PayloadFault } from "./faultPath.ts"
import { fieldOf, initialOf, type JsonSchema, type Property } from "./jsonSchema.ts"

type Path = ReadonlyArray<string | number>

export interface FieldProps {
  readonly label: string
  readonly schema: JsonSchema
  /** The document that references lead into. */
  readonly root: JsonSchema
  readonly value: unknown
  readonly path: Path
  readonly fault: PayloadFault | undefined
  readonly onChange: (value: unknown) => void
}

export const SchemaField = (props: FieldProps) => {
  const { label, onChange, path, root, schema, value } = props
  const field = fieldOf(schema, root, path.length)
  switch (field._tag) {
    case "Object":
      return <ObjectField {...props} properties={field.properties} />
    case "List":
      return <ListField {...props} items={field.items} />
    case "Json":
      return <JsonField {...props} />
    case "Boolean":
      return (
        <PlainField {...props}>
          <label class="inline">
            <input
              type="checkbox"
              checked={value === true}
              onChange={(event) => onChange(event.currentTarget.checked)}
            />{" "}
            {label}
          </label>
        </PlainField>
      )
    case "Choice":
      return (
        <PlainField {...props}>
          <label>
            {label}
            <select
              value={String(field.values.indexOf(value))}
              onChange={(event) => onChange(field.values[Number(event.currentTarget.value)])}
            >
              {field.values.map((choice, index) => (
                <option key={index} value={String(index)}>{shown(String(choice))}</option>
              ))}
            </select>
          </label>
        </PlainField>
      )
    case "Text":
      return (
        <PlainField {...props}>
          <label>
            {label}
            <input
              value={typeof value === "string" ? value : ""}
              onInput={(event) => onChange(event.currentTarget.value)}
            />
          </label>
        </PlainField>
      )
    case "Number":
    case "Integer":
      return (
        <PlainField {...props}>
          <label>
            {label}
            <input
              type="number"
              step={field._tag === "Integer" ? 1 : "any"}
              value={typeof value === "number" ? value : ""}
              onInput={({ currentTarget }) => onChange(currentTarget.value === "" ? "" : currentTarget.valueAsNumber)}
            />
          </label>
        </PlainField>
      )
  }
}

/** A field of one value, with its description and what is wrong with it. */
const PlainField = (props: FieldProps & { readonly children: ComponentChildren }) => {
  const { children, schema: { description } } = props
  return (
    <div class="field">
      {children}
      {description === undefined ? null : <small>{shown(description)}</small>}
      <Fault {...props} />
    </div>
  )
}

const Fault = ({ fault, path }: FieldProps) =>
  isAt(fault, path) ? <p class="fault" role="alert">{shown(fault?.message ?? "")}</p> : null

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const ObjectField = (props: FieldProps & { readonly properties: ReadonlyArray<Property> }) => {
  const { fault, label, onChange, path, properties, root, value } = props
  const record = isRecord(value) ? value : {}
  return (
    <fieldset>
      <legend>{label}</legend>
      <Fault {...props} />
      {properties.map(({ isRequired, name, schema }) => {
        const isGiven = Object.hasOwn(record, name)
        const remove = () => onChange(Object.fromEntries(Object.entries(record).filter(([key]) => key !== name)))
        return (
          <div key={name} class="property">
            {!isRequired && (
              <label class="inline">
                <input
                  type="checkbox"
                  checked={isGiven}
                  onChange={() =>
                    isGiven ? remove() : onChange({ ...record, [name]: initialOf(schema, root, path.length + 1) })}
                />{" "}
                give {shown(name)}
              </label>
            )}
            {(isGiven || isRequired) && (
              <SchemaField
                label={shown(name)}
                schema={schema}
                root={root}
                path={[...path, name]}
                fault={fault}
                value={record[name]}
                onChange={(next) => onChange({ ...record, [name]: next })}
              />
            )}
          </div>
        )
      })}
    </fieldset>
  )
}

const ListField = (props: FieldProps & { readonly items: JsonSchema }) => {
  const { fault, items, label, onChange, path, root, value } = props
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
  return (
    <fieldset>
      <legend>{label}</legend>
      <Fault {...props} />
      {list.map((item, index) => (
        <div key={index} class="item">
          <SchemaField
            label={`${label} ${index + 1}`}
            schema={items}
            root={root}
            path={[...path, index]}
            fault={fault}
            value={item}
            onChange={(next) => onChange(list.with(index, next))}
          />
          <button type="button" onClick={() => onChange(list.toSpliced(index, 1))}>Remove {index + 1}</button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...list, initialOf(items, root, path.length + 1)])}>
        Add to {label}
      </button>
    </fieldset>
  )
}

/** A value that no form can hold. What is no JSON yet is not passed on. */
export const JsonField = (props: Pick<FieldProps, "label" | "value" | "onChange" | "fault" | "path">) => {
  const { fault, label, onChange, path, value } = props
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2))
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const id = useId()
  const edit = (next: string) => {
    setText(next)
    try {
      onChange(next.trim() === "" ? undefined : JSON.parse(next))
      setProblem(undefined)
    } catch (error) {
      onChange(new SyntaxError("no JSON"))
      setProblem(error instanceof Error ? error.message : "this is no JSON")
    }
  }
  const message = problem ?? (isAt(fault, path) ? fault?.message : undefined)
  return (
    <div class="field">
      <label for={id}>{label} (JSON)</label>
      <textarea
        id={id}
        rows={8}
        spellcheck={false}
        value={text}
        aria-invalid={message !== undefined}
        onInput={(event) => edit(event.currentTarget.value)}
      />
      {message !== undefined && <p class="fault" role="alert">{shown(message)}</p>}
    </div>
  )
}
