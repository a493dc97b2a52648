/** A contract with every kind of request. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../../src/index.ts"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

export class Point extends Schema.Class<Point>("test/Point")({ x: Schema.Number, y: Schema.Number }) {
  get length(): number {
    return Math.hypot(this.x, this.y)
  }
}

export const Values = Schema.Struct({
  date: Schema.Date,
  bigint: Schema.BigInt,
  map: Schema.ReadonlyMap(Schema.String, Schema.Int),
  some: Schema.Option(Schema.String),
  none: Schema.Option(Schema.String),
  duration: Schema.Duration,
  point: Point,
  bytes: Schema.Uint8Array,
  nothing: Schema.NullOr(Schema.String),
  absent: Schema.optionalKey(Schema.String),
  numbers: Schema.Array(Schema.Number),
  text: Schema.String
})

const to = { to: Schema.Int }

export class Desk extends Host.Service<Desk>()("test/Desk", {
  group: RpcGroup.make(
    Rpc.make("add", { payload: { a: Schema.Int, b: Schema.Int }, success: Schema.Int }),
    Rpc.make("refuse", { payload: { why: Schema.String }, error: Refused }),
    Rpc.make("die", { payload: { message: Schema.String } }),
    /** Waits without end. When it is interrupted its finalizer waits until `open` is called. */
    Rpc.make("hold"),
    /** Waits until a call is at `hold`. */
    Rpc.make("held"),
    /** Waits until the finalizer of `hold` has begun. */
    Rpc.make("letGo"),
    Rpc.make("open"),
    /** What was finalized so far. */
    Rpc.make("finalized", { success: Schema.Array(Schema.String) }),
    /** How many elements `endless` has made. */
    Rpc.make("made", { success: Schema.Int }),
    Rpc.make("range", { payload: to, success: Schema.Int, stream: true }),
    Rpc.make("endless", { success: Schema.Int, stream: true }),
    Rpc.make("broken", { payload: to, success: Schema.Int, error: Refused, stream: true }),
    Rpc.make("dying", { payload: to, success: Schema.Int, stream: true }),
    Rpc.make("queued", { payload: to, success: Schema.Int, error: Refused, stream: true }),
    Rpc.make("later", { payload: { n: Schema.Int }, success: Schema.Int, error: Refused }),
    Rpc.make("values", { payload: Values, success: Values }),
    Rpc.make("bytes", { payload: { bytes: Schema.Uint8Array }, success: Schema.Uint8Array }),
    Rpc.make("pid", { success: Schema.Int })
  ),
  module: new URL("./desk.host.ts", import.meta.url)
}) {}
