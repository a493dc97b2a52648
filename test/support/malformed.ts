/** Requests that no client would send, made from the description of an API. */
import * as Schema from "effect/Schema"

const JsonSchema = Schema.Record(Schema.String, Schema.Unknown)
const Parameter = Schema.Struct({
  name: Schema.String,
  in: Schema.Literals(["path", "query", "header"]),
  required: Schema.Boolean,
  schema: JsonSchema
})
const Operation = Schema.Struct({
  parameters: Schema.Array(Parameter),
  requestBody: Schema.optionalKey(Schema.Struct({
    content: Schema.Struct({ "application/json": Schema.Struct({ schema: JsonSchema }) })
  })),
  responses: Schema.Record(Schema.String, Schema.Unknown)
})

/** As much of an OpenAPI document as a request is made from. */
const Document = Schema.Struct({
  paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Operation)),
  components: Schema.Struct({ schemas: Schema.Record(Schema.String, JsonSchema) })
})
type Document = typeof Document.Type
type Operation = typeof Operation.Type
type JsonSchema = typeof JsonSchema.Type

/** The same numbers each time for a seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** A whole number from 0 to below this one. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % n
  }

  /** Whether something that happens once in so many times happens. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<A>(values: readonly [A, ...Array<A>]): A {
    return values[this.below(values.length)] ?? values[0]
  }
}

/** A request in its parts, before it is put together. Texts are Latin-1: a character is a byte. */
interface Draft {
  method: string
  path: Array<string>
  query: Array<string>
  headers: Array<string>
  body: string | undefined
  version: string
  /** What it says of the length of its body. */
  claims: "the truth" | "nothing" | "more"
}

/** A request as bytes, and which answers it may have. */
export interface Malformed {
  readonly text: string
  /** The statuses that the document has for its operation; those of all where it may have become that of another. */
  readonly documented: ReadonlyArray<number>
}

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1")

/** Texts that are hard to read, to store, or to name a file by. */
const texts = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\uffff\u202e\u200b",
  "日本語",
  "👩‍👩‍👧‍👦",
  "é".repeat(300),
  "x".repeat(70),
  "x".repeat(5_000),
  "../../../../etc/passwd",
  "..\\..\\windows",
  "/etc/passwd",
  "__proto__",
  "constructor",
  "toString",
  "' OR 1=1 --",
  "%00",
  "${x}",
  "<script>",
  "a\r\nX-Injected: 1",
  "-1",
  "1e309",
  "NaN",
  "null",
  "true"
] as const

const ids = [
  "..",
  ".",
  "../x",
  "..%2f..%2fetc%2fpasswd",
  "%2e%2e",
  "%2e%2e%2f",
  "%00",
  "a%00",
  "%",
  "%zz",
  "%ff%fe",
  "%E0%A4%A",
  "%ed%a0%80",
  "%e6%97%a5",
  "",
  "%20",
  "a b",
  "a;b",
  "a?b",
  "a#b",
  "-a",
  "_",
  "__proto__",
  "constructor",
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(9_000),
  "a'--",
  "%25",
  "\u00ff",
  "*"
] as const

const numbers = ["-1", "0", "1.5", "1e309", "1e-7", "NaN", "9007199254740993", "0x10", "", "+1", "-0", "1,2"] as const

const headers = [
  "Content-Type: text/plain",
  "Content-Type: application/x-www-form-urlencoded",
  "Content-Type: multipart/form-data",
  "Content-Type: multipart/form-data; boundary=x",
  "Content-Type: application/json; charset=utf-16",
  "Content-Type: application/octet-stream",
  "Content-Type: ;;;",
  "Content-Encoding: gzip",
  "Content-Encoding: x",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Content-Length: -1",
  "Content-Length: 3",
  "Content-Length: 99999999999999999999",
  "Last-Event-ID: x",
  "Last-Event-ID: -1",
  "Last-Event-ID: 1e309",
  "Last-Event-ID: 1.5",
  `Last-Event-ID: ${"9".repeat(400)}`,
  "Authorization: Bearer",
  "Authorization: Basic \u00ff",
  `Authorization: Bearer ${"x".repeat(8_000)}`,
  "Expect: 100-continue",
  "Expect: x",
  "Upgrade: websocket",
  "Connection: upgrade",
  "Range: bytes=9-1",
  "Cookie: =;=",
  "Cookie: a=%zz",
  "Accept: nothing/at-all",
  "X-Forwarded-For: ../..",
  "X-HTTP-Method-Override: DELETE",
  "traceparent: 00-x-x-x",
  "b3: x",
  "Origin: null",
  `X-Large: ${"x".repeat(17_000)}`,
  "no colon",
  ": no name",
  "b\u00e4d: x",
  "x: \u0000"
] as const

const methods = [
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "BREW",
  "get",
  ""
] as const

const literals = [
  "",
  "{",
  "}",
  "null",
  "[]",
  "{}",
  "\"x\"",
  "7",
  "1e999",
  "NaN",
  "undefined",
  "'x'",
  "{\"a\":1,\"a\":2}",
  "{\"__proto__\":{\"job\":\"sum\"}}",
  "\u00ef\u00bb\u00bf{}",
  "\u00ff\u00fe{}",
  "\u00c3\u0028",
  "// {}",
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  "{\"a\":".repeat(5_000),
  `"${"x".repeat(100_000)}"`,
  // more than the largest body
  `"${"x".repeat(1_100_000)}"`
] as const

/** Makes requests from a document, each from one of its operations. */
export class Generator {
  readonly #document: Document
  readonly #operations: ReadonlyArray<readonly [path: string, method: string, operation: Operation]>
  readonly #random: Random
  readonly #ids: readonly [string, ...Array<string>]

  /** The ids are those of jobs that are there. */
  constructor(document: unknown, random: Random, ids: readonly [string, ...Array<string>]) {
    this.#document = Schema.decodeUnknownSync(Document)(document)
    // the more there is to get wrong, the more often
    this.#operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) =>
        Array.from(
          { length: 1 + operation.parameters.length + (operation.requestBody === undefined ? 0 : 8) },
          () => [path, method, operation] as const
        )
      )
    )
    this.#random = random
    this.#ids = ids
  }

  next(): Malformed {
    const random = this.#random
    const [first, ...rest] = this.#operations
    if (first === undefined) throw new Error("the document has no operation")
    const [path, method, operation] = random.pick([first, ...rest])
    const draft = this.#draft(path, method, operation)
    let isItself = true
    for (let i = 0, count = 1 + random.below(3); i < count; i++) isItself = this.#spoil(draft) && isItself
    return {
      text: textOf(draft),
      documented: isItself
        ? statusesOf(operation)
        : this.#operations.flatMap(([, , operation]) => statusesOf(operation))
    }
  }

  /** A request that its operation would take, or would but for its values. */
  #draft(path: string, method: string, operation: Operation): Draft {
    const random = this.#random
    const given = operation.parameters.filter(({ required }) => required || random.oneIn(2))
    const valued = given.map(({ in: place, name, schema }) => ({ place, name, value: this.#text(name, schema) }))
    const inPath = new Map(valued.map(({ name, value }) => [`{${name}}`, value]))
    const schema = operation.requestBody?.content["application/json"].schema
    const body = schema === undefined ? undefined : utf8(JSON.stringify(this.#value("", schema)))
    return {
      method: method.toUpperCase(),
      path: path.slice(1).split("/").map((segment) => inPath.get(segment) ?? segment),
      query: valued.filter(({ place }) => place === "query").map(({ name, value }) => `${name}=${value}`),
      headers: [
        ...valued.filter(({ place }) => place === "header").map(({ name, value }) => `${name}: ${value}`),
        ...(body === undefined ? [] : ["Content-Type: application/json"])
      ],
      body: body === undefined || random.oneIn(2) ? body : this.#mutated(body),
      version: "HTTP/1.1",
      claims: "the truth"
    }
  }

  /** The value of a parameter, as it stands in a request. */
  #text(name: string, schema: JsonSchema): string {
    if (name === "id") return this.#random.pick(this.#ids)
    // one that is no text at all cannot be written as one
    if (this.#random.oneIn(3)) return encodeURIComponent(this.#random.pick([...texts, ...numbers]).toWellFormed())
    if ("pattern" in schema) return String(1 + this.#random.below(5))
    return String(this.#value(name, schema))
  }

  #value(name: string, schema: JsonSchema): unknown {
    const random = this.#random
    const { $ref, anyOf, enum: literals, items, properties, required, type } = schema
    if (typeof $ref === "string") {
      return this.#value(name, this.#document.components.schemas[$ref.split("/").at(-1) ?? ""] ?? {})
    }
    if (Array.isArray(anyOf)) return this.#value(name, anyOf[random.below(anyOf.length)])
    if (Array.isArray(literals)) return literals[random.below(literals.length)]
    switch (type) {
      case "object": {
        const needed = Array.isArray(required) ? required : []
        return Object.fromEntries(
          Object.entries(Schema.decodeUnknownSync(Schema.Record(Schema.String, JsonSchema))(properties ?? {}))
            .filter(([key]) => needed.includes(key) || random.oneIn(2))
            .map(([key, schema]) => [key, this.#value(key, schema)])
        )
      }
      case "array":
        return [this.#value(name, Schema.decodeUnknownSync(JsonSchema)(items ?? {}))]
      case "boolean":
        return random.oneIn(2)
      case "integer":
      case "number":
        return 1 + random.below(100)
      case "string":
        return name === "job" ? random.pick(["sum", "endless"]) : `s${random.below(1_000)}`
      default:
        return random.pick([null, 1, "x", [], { deep: [{ n: 1 }] }])
    }
  }

  /** Changes something else about it. Whether it is still one of the same operation. */
  #spoil(draft: Draft): boolean {
    const random = this.#random
    switch (random.below(12)) {
      case 0:
        draft.method = random.pick(methods)
        return false
      case 1: {
        const at = random.below(draft.path.length)
        draft.path[at] = random.pick(ids)
        return false
      }
      case 2:
        draft.path.splice(random.below(draft.path.length + 1), random.below(2), random.pick(["", "x", "..", "jobs"]))
        return false
      case 3: {
        const name = random.pick(["limit", "after", "follow", "force", "state", "x"])
        draft.query.push(random.pick([`${name}=%zz`, name, `${name}[]=1`, `${name}=1&${name}=2`, `=${name}`]))
        return true
      }
      case 4:
        draft.query.push(
          random.pick(["&&==", "%", "%E0%A4%A=1", "a".repeat(3_000), "__proto__=1", "?", "\u00ff=\u00ff"])
        )
        return true
      case 5:
      case 6: {
        const header = random.pick(headers)
        const [name = ""] = header.split(":")
        if (random.oneIn(2)) draft.headers = draft.headers.filter((other) => !other.startsWith(name))
        draft.headers.push(header)
        return true
      }
      case 7:
        draft.headers = draft.headers.filter(() => random.oneIn(2))
        return true
      case 8:
        draft.body = random.pick(literals)
        return true
      case 9:
        draft.body = draft.body?.slice(0, random.below(draft.body.length + 1)) ?? random.pick(literals)
        return true
      case 10:
        if (random.oneIn(20)) draft.claims = random.pick(["nothing", "more"])
        if (random.oneIn(10)) draft.version = random.pick(["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1", "", "x"])
        return draft.version.startsWith("HTTP/1.")
      default:
        if (draft.body !== undefined) draft.body = this.#mutated(draft.body)
        return true
    }
  }

  /** The body with another value, key or type somewhere in it. */
  #mutated(body: string): string {
    const random = this.#random
    const odd = (): unknown =>
      random.pick<() => unknown>([
        () => random.pick(texts),
        () => random.pick(texts),
        () => random.pick(texts),
        () => random.pick([-1, 0, 1.5, 1e308, -1e308, 2 ** 53, 5e-324]),
        () => null,
        () => random.oneIn(2),
        () => [],
        () => ({}),
        () => Array.from({ length: 1_000 }, () => 0),
        () => Array.from({ length: 500 }).reduce<unknown>((inner) => ({ a: [inner] }), 0),
        () => random.oneIn(40) ? "x".repeat(1_100_000) : "x"
      ])()
    const change = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null || random.oneIn(4)) return odd()
      const entries = Object.entries(value)
      const at = random.below(entries.length + 1)
      const entry = entries[at]
      if (entry === undefined) entries.push([random.pick([...texts, "id", "job", "mode", "payload"]), odd()])
      else if (random.oneIn(3)) entries.splice(at, 1)
      else entry[1] = change(entry[1])
      return Object.fromEntries(entries)
    }
    try {
      return utf8(JSON.stringify(change(JSON.parse(Buffer.from(body, "latin1").toString("utf8")))))
    } catch {
      // it was no JSON any more
      return `${body}${body}`
    }
  }
}

const statusesOf = ({ responses }: Operation): ReadonlyArray<number> => Object.keys(responses).map(Number)

const textOf = ({ body, claims, headers, method, path, query, version }: Draft): string => {
  const target = `/${path.join("/")}${query.length === 0 ? "" : `?${query.join("&")}`}`
  const length = body === undefined || claims === "nothing"
    ? []
    : [`Content-Length: ${body.length + (claims === "more" ? 10 : 0)}`]
  const head = [`${method} ${target} ${version}`, "Host: localhost", "Connection: close", ...headers, ...length]
  return `${head.join("\r\n")}\r\n\r\n${body ?? ""}`
}
