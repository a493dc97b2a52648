/** The steps that spans are made of, and the spans of one job that are open. */
import { shortened } from "../base/format.ts"

export type Attributes = Readonly<Record<string, string | number | boolean>>

interface Opened {
  /** The name of this span among those of its job. It may be that of another one that has ended. */
  readonly key: string
  /** The key of the span that it lies in. */
  readonly parent?: string
  readonly name: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly attributes?: Attributes
  /** The key of a span before it that it follows. */
  readonly link?: string
}

export type SpanStep =
  | ({ readonly _tag: "Open" } & Opened)
  /** `error` says why the span has failed. */
  | {
    readonly _tag: "Close"
    readonly key: string
    readonly at: number
    readonly error?: string
    readonly attributes?: Attributes
  }
export type StepOf<Tag extends SpanStep["_tag"]> = Extract<SpanStep, { readonly _tag: Tag }>

/** The most spans of one job: of those beyond it has the number alone. */
const maxSpans = 4_000

/** The longest text of an attribute or an error, in characters. */
const maxText = 1_000

export interface OpenSpans {
  readonly has: (key: string) => boolean
  /** Opens a span, unless there are too many or it is open. */
  readonly open: (span: Opened) => ReadonlyArray<StepOf<"Open">>
  /** Closes a span if it is open. */
  readonly close: (key: string, at: number, error?: string, attributes?: Attributes) => ReadonlyArray<StepOf<"Close">>
  /** Closes all but some, the latest first. */
  readonly closeBut: (keys: ReadonlyArray<string>, at: number, error: string) => ReadonlyArray<StepOf<"Close">>
  readonly closeAll: (at: number, error: string) => ReadonlyArray<StepOf<"Close">>
  /** The number of spans that were left out, as an attribute. */
  readonly missing: Attributes
}

export const openSpans = (): OpenSpans => {
  const open = new Set<string>()
  let opened = 0
  let missing = 0
  let root: string | undefined
  const close: OpenSpans["close"] = (key, at, error, attributes) =>
    open.delete(key)
      ? [{
        _tag: "Close",
        key,
        at,
        ...(error === undefined ? {} : { error: shortened(error, maxText) }),
        ...(attributes === undefined ? {} : { attributes })
      }]
      : []
  const closeBut: OpenSpans["closeBut"] = (keys, at, error) =>
    [...open].filter((key) => !keys.includes(key)).toReversed().flatMap((key) => close(key, at, error))
  return {
    has: (key) => open.has(key),
    open: (span) => {
      root ??= span.key
      // one that lies in none that is open lies in the outermost; after that there are no more
      const parent = span.parent === undefined || open.has(span.parent) ? span.parent : root
      if (open.has(span.key) || (parent !== undefined && !open.has(parent))) return []
      if (opened >= maxSpans) {
        missing++
        return []
      }
      opened++
      open.add(span.key)
      const { attributes, parent: _, ...rest } = span
      return [{
        _tag: "Open",
        ...rest,
        ...(parent === undefined ? {} : { parent }),
        name: shortened(span.name, maxText),
        ...(attributes === undefined ? {} : { attributes: mapTexts(attributes) })
      }]
    },
    close,
    closeBut,
    closeAll: (at, error) => closeBut([], at, error),
    get missing(): Attributes {
      return missing === 0 ? {} : { "autostop.spans.left_out": missing }
    }
  }
}

const mapTexts = (attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map((
      [name, value]
    ) => [name, typeof value === "string" ? shortened(value, maxText) : value])
  )
