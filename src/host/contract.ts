/**
 * The contract between callers and hosts: the methods of a service, and how their values become bytes. Only this
 * file and `handlers.ts` read how `effect/rpc` describes a request.
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
import { errorText, messageOf, sendableCause } from "../base/errorText.ts"
import type { HostError } from "./hostError.ts"

/** A method of a service: it returns an effect, or a stream of its results. */
type Call<R extends Rpc.Any> = (
  payload: Rpc.PayloadConstructor<R>
) => Rpc.Success<R> extends Stream.Stream<infer A, infer _E, infer _R> ? Stream.Stream<A, Rpc.ErrorExit<R> | HostError>
  : Effect.Effect<Rpc.Success<R>, Rpc.Error<R> | HostError>

/**
 * The client of a service: a method for each request of its group. It is the same wherever the service lives.
 *
 * @category models
 * @since 0.1.0
 */
export type Client<Rpcs extends Rpc.Any> = { readonly [R in Rpcs as R["_tag"]]: Call<R> }

/** True for a request that may be sent again when the host that had it is lost. */
export const Idempotent = Context.Reference<boolean>("autostop/Host/Idempotent", { defaultValue: () => false })

/** Turns values of one Schema into bytes and back. */
export interface Codec {
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

export interface Method {
  readonly name: string
  /** The number of the method on the wire. */
  readonly index: number
  /** The key of its handler in the context that `RpcGroup.toLayer` makes. */
  readonly key: Context.Key<unknown, unknown>
  readonly rpc: Rpc.AnyWithProps
  readonly isStream: boolean
  readonly isIdempotent: boolean
  readonly payload: Codec
  /** The result, or a chunk of a stream. */
  readonly success: Codec
  /** The exit of a call that failed. */
  readonly failure: Codec
}

export interface Contract {
  /** The key of the tag. */
  readonly name: string
  readonly version: string
  /** A hash of the requests and their Schemas. */
  readonly fingerprint: string
  readonly methods: ReadonlyArray<Method>
}

/** The contract of the requests of a group. */
export const contractOf = (name: string, version: string, group: Iterable<Rpc.Any>): Contract => {
  // safe: a group is only made of what `Rpc.make` gives
  const requests = [...group] as ReadonlyArray<unknown> as ReadonlyArray<Rpc.AnyWithProps>
  for (const rpc of requests) {
    if (rpc.middlewares.size > 0) {
      throw new Error(`request "${rpc._tag}" of service "${name}" has middleware, which no host runs; remove it`)
    }
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

/** Compiled at its first use: a service in process never encodes anything. */
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
        // a parser that has failed reads nothing more
        parser = undefined
        throw error
      }
    }
  }
}

/** Encodes the cause of a failed call. A cause that the Schemas of its method cannot encode becomes a defect. Never throws. */
export const encodeFailure = (method: Method, cause: Cause.Cause<unknown>): Uint8Array => {
  try {
    return method.failure.encode(Exit.failCause(sendableCause(cause)))
  } catch (error) {
    const why = `the failure of "${method.name}" does not fit its Schema: ${messageOf(error)}`
    return method.failure.encode(Exit.die(new Error(`${why}; it is ${errorText(cause)}`)))
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
    // a Schema without a JSON form can only be compared by its kind
    return schema.ast._tag
  }
}
