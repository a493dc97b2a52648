/** The spans of calls to the hosts of one service, at either end. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { now } from "../base/clock.ts"
import { RateLimit } from "../base/rateLimit.ts"
import type { Attributes } from "./spanSteps.ts"

/** The most calls in one second that have spans: a pipeline may make one for each of its elements. */
const mostCalls = 100
/** Once there are as many, the clock is read for one of so many calls. */
const stride = 16

export interface CallSpansOptions {
  readonly service: string
  readonly methods: ReadonlyArray<string>
  readonly clock: Clock.Clock
}

const nameOf = (service: string, method: string): string => `call ${service}.${method}`

const attributesOf = (service: string, method: string): Attributes => ({
  "rpc.system": "autostop",
  "rpc.method": method,
  "autostop.service": service
})

/** Begins the spans of a service's callers. */
export class CallSpans {
  readonly #options: CallSpansOptions
  readonly #limit = new RateLimit(mostCalls)

  constructor(options: CallSpansOptions) {
    this.#options = options
  }

  /** Returns the span of a call within that of its caller; `undefined` if it has none. */
  begin(index: number, { cache, context }: Fiber.Fiber<unknown, unknown>): Tracer.Span | undefined {
    const { span: parent } = cache
    if (parent === undefined || !parent.sampled || !cache.tracerEnabled) return undefined
    const { clock, methods, service } = this.#options
    const leftOut = this.#pass(clock)
    if (leftOut === undefined) return undefined
    const method = methods[index] ?? ""
    const span = Context.get(context, Tracer.Tracer).span({
      name: nameOf(service, method),
      parent: Option.some(parent),
      annotations: Context.empty(),
      links: [],
      startTime: clock.currentTimeNanosUnsafe(),
      kind: "client",
      root: false,
      sampled: true
    })
    setAll(span, attributesOf(service, method))
    if (leftOut > 0) span.attribute("autostop.calls.left_out", leftOut)
    return span
  }

  /** Returns the number of calls without a span before this one, if this one has one. */
  #pass(clock: Clock.Clock): number | undefined {
    const limit = this.#limit
    return limit.isFull && limit.leftOut % stride !== 0 ? limit.leaveOut() : limit.pass(now(clock))
  }
}

/** Returns the span of a call at its host, within that of its caller. */
export const servedSpan = (
  tracer: Tracer.Tracer,
  parent: { readonly traceId: string; readonly spanId: string },
  { clock, method, service }: { readonly clock: Clock.Clock; readonly method: string; readonly service: string }
): Tracer.Span => {
  const span = tracer.span({
    name: nameOf(service, method),
    parent: Option.some(Tracer.externalSpan({ ...parent, sampled: true })),
    annotations: Context.empty(),
    links: [],
    startTime: clock.currentTimeNanosUnsafe(),
    kind: "server",
    root: false,
    sampled: true
  })
  setAll(span, attributesOf(service, method))
  return span
}

const setAll = (span: Tracer.Span, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) span.attribute(name, value)
}
