/**
 * Helpers for tests of services and jobs: an assertion on a report, services that record their lives, and Schemas that
 * generate graphs of services and commands for property-based tests.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { realClock } from "./base/clock.ts"
import { programLimits } from "./internal/policy/programLimits.ts"
import { holdLayer } from "./internal/run/heldLayer.ts"
import { StopMode } from "./JobEvent.ts"
import * as Service from "./Service.ts"
import type { StopPolicy } from "./StopPolicy.ts"
import type { StopReport } from "./StopReport.ts"

/**
 * Throws if a report is not clean. The error names every service that was not released and everything left over.
 *
 * @category assertions
 * @since 0.1.0
 */
export const assertClean = (report: StopReport): void => {
  if (report.clean) return
  const services = report.services
    .filter((service) => service.running || service.outcome !== "released")
    .map((service) => `service ${service.name} is ${service.outcome}${service.error ? `: ${service.error}` : ""}`)
  const leftovers = report.leftovers.map(({ detail, kind }) => `${kind}: ${detail}`)
  throw new Error(
    `job ${report.job} did not stop clean\n${[...services, ...leftovers].map((l) => `  ${l}`).join("\n")}`
  )
}

/**
 * Makes a layer that stops clean or fails its test: it provides what the layer provides, and its release dies, with the
 * names of the services, if one of them fails to stop or hangs.
 *
 * **Details**
 *
 * It is for `it.layer` of @effect/vitest, whose suite then fails, and for `Effect.provide` in a test, which then fails. The
 * limits are those of the policy (`AUTOSTOP_…`, by default 5 s for each release and 25 s in all), in real time, even if the
 * test has a TestClock.
 *
 * **Example** (A suite that fails because a layer leaks)
 *
 * ```ts
 * import { it } from "@effect/vitest"
 * import { stopsClean } from "autostop/testing"
 * import { Effect, Layer } from "effect"
 *
 * const Leaks = Layer.effectDiscard(Effect.addFinalizer(() => Effect.never))
 *
 * it.layer(stopsClean(Leaks, { releaseTimeout: "100ms" }))("a suite", (it) => {
 *   it.effect("a test", () => Effect.void)
 * })
 * ```
 *
 * @category assertions
 * @since 0.2.0
 */
export const stopsClean = <A, E, R>(
  layer: Layer.Layer<A, E, R>,
  stopPolicy?: StopPolicy.Settings
): Layer.Layer<A, E, R> =>
  Layer.effectContext(
    Effect.flatMap(Effect.orDie(programLimits(stopPolicy)), (limits) => {
      const hold = Effect.withFiber((fiber) =>
        Effect.succeed(holdLayer(layer, { name: "test", limits, endUse: Effect.void, clock: realClock }, fiber))
      )
      const held = Effect.acquireRelease(hold, ({ stop }) => Effect.map(stop, assertClean))
      // safe: the fiber that holds the layer has what it needs
      return Effect.flatMap(held, ({ context }) => context) as Effect.Effect<Context.Context<A>, E, R>
    })
  )

/**
 * The course of an acquire or a release: it takes `ms`, then ends `well`, fails, dies, or never ends.
 *
 * @category models
 * @since 0.1.0
 */
export const Behaviour = Schema.Struct({
  ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 })),
  // repeated so that most generated behaviours end well
  ends: Schema.Literals(["well", "fail", "well", "die", "well", "never", "well"])
})
/**
 * The type of a behaviour.
 *
 * @category models
 * @since 0.1.0
 */
export type Behaviour = typeof Behaviour.Type

/**
 * A service of a generated graph. `needs` are indices of earlier services in the list, taken modulo its own index.
 *
 * @category models
 * @since 0.1.0
 */
export const ServicePlan = Schema.Struct({
  needs: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 }))).check(Schema.isMaxLength(3)),
  acquire: Behaviour,
  release: Behaviour,
  /** `false` for a plain layer, which is a service because it has something to release. */
  managed: Schema.Boolean,
  /** Its own stop timeout in milliseconds, if it is managed. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_500 })))
})
/**
 * The type of a service plan.
 *
 * @category models
 * @since 0.1.0
 */
export type ServicePlan = typeof ServicePlan.Type

/**
 * A random graph of services: its shape, delays, failures, and limits.
 *
 * @category models
 * @since 0.1.0
 */
export const ServicePlans = Schema.Array(ServicePlan).check(Schema.isMaxLength(12))

/**
 * Something that happens to a running job.
 *
 * @category models
 * @since 0.1.0
 */
export const Command = Schema.Union([
  Schema.TaggedStruct("Wait", { ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 })) }),
  Schema.TaggedStruct("Emit", { count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })) }),
  Schema.TaggedStruct("End", {}),
  Schema.TaggedStruct("Fail", {}),
  Schema.TaggedStruct("Interrupt", {}),
  Schema.TaggedStruct("Stop", { mode: StopMode })
])
/**
 * The type of a command.
 *
 * @category models
 * @since 0.1.0
 */
export type Command = typeof Command.Type

/**
 * An entry of a journal: what happened to a probe, and when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly service: string
  readonly what: "acquiring" | "acquired" | "releasing" | "released" | "failed" | "died"
  /** Clock milliseconds. */
  readonly at: number
}

/**
 * The trace that probes write, independently of events and reports.
 *
 * @category models
 * @since 0.1.0
 */
export class Journal {
  readonly entries: Array<Entry> = []

  /** Returns the index of the first entry of that kind, or -1. */
  indexOf(service: string, what: Entry["what"]): number {
    return this.entries.findIndex((entry) => entry.service === service && entry.what === what)
  }

  /** Returns true if the journal has an entry of that kind for a service. */
  has(service: string, what: Entry["what"]): boolean {
    return this.indexOf(service, what) >= 0
  }
}

/**
 * The options of a probe: how its acquire and release go, and what it needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProbeOptions extends Service.Options {
  readonly acquire?: Behaviour | undefined
  readonly release?: Behaviour | undefined
  /** `false` for a plain layer, to which no option of a service applies; `true` by default. */
  readonly managed?: boolean | undefined
  /** The layers that it depends on. */
  readonly needs?: ReadonlyArray<Layer.Layer<never>> | undefined
}

const atOnce: Behaviour = { ms: 0, ends: "well" }

/**
 * Makes a service that records its life in a journal, and whose acquire and release behave as its options say.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probe = (journal: Journal, name: string, options: ProbeOptions = {}): Layer.Layer<never> => {
  const { needs = [] } = options
  const tag = Context.Service<never, { readonly name: string }>(name)
  const write = (what: Entry["what"]) =>
    Effect.map(Clock.currentTimeMillis, (at) => void journal.entries.push({ service: name, what, at }))
  const act = ({ ends, ms }: Behaviour) =>
    Effect.gen(function*() {
      if (ms > 0) yield* Effect.sleep(ms)
      if (ends === "never") return yield* Effect.never
      if (ends === "well") return
      yield* write(ends === "fail" ? "failed" : "died")
      // a probe may not fail: its failure is a defect too, and the journal tells the two apart
      return yield* Effect.die(new Error(`${name} ${ends === "fail" ? "fails" : "dies"}`))
    })
  const acquire = Effect.andThen(
    write("acquiring"),
    Effect.andThen(act(options.acquire ?? atOnce), write("acquired"))
  )
  const release = Effect.andThen(
    write("releasing"),
    Effect.andThen(act(options.release ?? atOnce), write("released"))
  )
  const acquired = Effect.as(Effect.acquireRelease(acquire, () => release), { name })
  const own = options.managed === false ? Layer.effect(tag, acquired) : Service.layer(tag, acquired, options)
  const [first, ...rest] = needs
  return first === undefined ? own : Layer.provide(own, [first, ...rest])
}

/**
 * Returns the name of the probe at an index of a generated graph.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probeName = (index: number): string => `probe-${index}`

/**
 * Returns the indices of the services that the service at an index needs: earlier ones, each once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const needsOf = (plan: ServicePlan, index: number): ReadonlyArray<number> =>
  index === 0 ? [] : [...new Set(plan.needs.map((need) => need % index))]

/**
 * Makes the probes of a generated graph, as the services of a job. A probe that several others need is built once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probes = (journal: Journal, plans: ReadonlyArray<ServicePlan>): Layer.Layer<never> => {
  const layers: Array<Layer.Layer<never>> = []
  plans.forEach((plan, index) => {
    layers.push(probe(journal, probeName(index), {
      acquire: plan.acquire,
      release: plan.release,
      managed: plan.managed,
      needs: needsOf(plan, index).flatMap((need) => layers[need] ?? []),
      ...(plan.limit === undefined ? {} : { stop: { timeout: plan.limit } })
    }))
  })
  const [first, ...rest] = layers
  return first === undefined ? Layer.empty : Layer.mergeAll(first, ...rest)
}
