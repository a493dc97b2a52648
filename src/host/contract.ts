/**
 * What a service that lives elsewhere is called with: the one file that knows how `effect/rpc` describes it, and how its
 * values become bytes.
 */
import * as Context from "effect/Context"
import type * as Cause from "effect/Cause"
import * as SchemaBinary from "effect/encoding/SchemaBinary"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import type { HostError } from "./hostError.ts"

/** A method of a service, as an effect or a stream of its results. */
type Call<R extends Rpc.Any> = (
  payload: Rpc.PayloadConstructor<R>
) => Rpc.Success<R> extends Stream.Stream<infer A, infer _E, infer _R> ? Stream.Stream<A, Rpc.ErrorExit<R> | HostError>
  : Effect.Effect<Rpc.Success<R>, Rpc.Error<R> | HostError>

/**
 * What callers get: a method for each request of the group. It is the same wherever the service lives.
 *
 * @category models
 * @since 0.1.0
 */
export type Client<Rpcs extends Rpc.Any> = { readonly [R in Rpcs as R["_tag"]]: Call<R> }

/** Whether a request may be sent again when the host that had it is lost. */
export const Idempotent = Context.Reference<boolean>("autostop/Host/Idempotent", { defaultValue: () => false })

/** Turns values of one Schema into bytes and back. */
export interface Codec {
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

export interface Method {
  readonly name: string
  /** How the method is called on the wire. */
  readonly index: number
  /** Where its handler stands in the context that `RpcGroup.toLayer` makes. */
  readonly key: Context.Key<unknown, unknown>
  readonly rpc: Rpc.AnyWithProps
  readonly isStream: boolean
  readonly isIdempotent: boolean
  readonly payload: Codec
  /** The result, or the elements of a stream, a chunk at a time. */
  readonly success: Codec
  /** How it failed, as the failure of an exit. */
  readonly failure: Codec
}

export interface Contract {
  /** The key of the tag. */
  readonly name: string
  readonly version: string
  /** Differs where the requests or their Schemas do. */
  readonly fingerprint: string
  readonly methods: ReadonlyArray<Method>
}

/** The contract of a group's requests. */
export const contractOf = (name: string, version: string, group: Iterable<Rpc.Any>): Contract => {
  // safe: a group is only made of what `Rpc.make` gives
  const requests = [...group] as ReadonlyArray<unknown> as ReadonlyArray<Rpc.AnyWithProps>
  for (const rpc of requests) {
    if (rpc.middlewares.size > 0) throw new Error(`${name}: "${rpc._tag}" has middleware, which no host runs`)
  }
  return { name, version, fingerprint: fingerprintOf(requests), methods: requests.map(methodOf) }
}

const methodOf = (rpc: Rpc.AnyWithProps, index: number): Method => {
  const stream = Option.getOrUndefined(streamOf(rpc))
  return {
    name: rpc._tag,
    index,
    key: Context.Service<unknown>(rpc.key),
    rpc,
    isStream: stream !== undefined,
    isIdempotent: Context.get(rpc.annotations, Idempotent),
    payload: codec(() => rpc.payloadSchema),
    success: codec(() => stream === undefined ? rpc.successSchema : Schema.Array(stream.success)),
    failure: codec(() => Rpc.exitSchema(rpc))
  }
}

const streamOf = (rpc: Rpc.AnyWithProps): Option.Option<{ readonly success: Schema.Top; readonly error: Schema.Top }> =>
  RpcSchema.isStreamSchema(rpc.successSchema)
    ? Option.some({ success: rpc.successSchema.success, error: rpc.successSchema.error })
    : Option.none()

/** Compiled when first used: where a service lives in process nothing is ever encoded. */
const codec = (schema: () => Schema.Top): Codec => {
  let encoder: ReturnType<typeof SchemaBinary.encoder> | undefined
  let parser: SchemaBinary.Parser<unknown> | undefined
  return {
    encode: (value) => (encoder ??= SchemaBinary.encoder(schema())).encode(value),
    decode: (bytes) => {
      parser ??= SchemaBinary.parser(schema())
      try {
        return parser.feedSync(bytes)[0]
      } catch (error) {
        // it takes nothing more after what it could not read
        parser = undefined
        throw error
      }
    }
  }
}

/** The cause of a failed call as its method's Schemas carry it. What they cannot carry becomes a defect that says so. */
export const encodeFailure = (method: Method, cause: Cause.Cause<unknown>): Uint8Array => {
  try {
    return method.failure.encode(Exit.failCause(cause))
  } catch (error) {
    return method.failure.encode(Exit.die(error))
  }
}

export const decodeFailure = (method: Method, bytes: Uint8Array): Exit.Exit<never, unknown> =>
  // safe: only failures are encoded with this Schema
  method.failure.decode(bytes) as Exit.Exit<never, unknown>

const fingerprintOf = (requests: ReadonlyArray<Rpc.AnyWithProps>): string => {
  const hash = createHash("sha256")
  for (const rpc of requests) {
    const stream = Option.getOrUndefined(streamOf(rpc))
    const schemas = stream === undefined
      ? [rpc.payloadSchema, rpc.successSchema, rpc.errorSchema]
      : [rpc.payloadSchema, stream.success, stream.error]
    hash.update(JSON.stringify([rpc._tag, stream !== undefined, ...schemas.map(describe)]))
  }
  return hash.digest("hex").slice(0, 12)
}

const describe = (schema: Schema.Top): unknown => {
  try {
    return Schema.toJsonSchemaDocument(Schema.toCodecJson(schema))
  } catch {
    // some have no JSON form; that they are there is all that can be compared
    return schema.ast._tag
  }
}
