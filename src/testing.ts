/**
 * Helpers for tests of what starts and stops: a check of a report, services that record their lives, and Schemas that
 * generate graphs of services and commands for property-based tests.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { StopMode } from "./JobEvent.ts"
import * as Service from "./Service.ts"
import type { StopReport } from "./StopReport.ts"

/**
 * Throws an error that names everything of a report that is not clean.
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
 * How an acquire or a release goes: it takes `ms`, then ends `well`, fails, dies, or never ends.
 *
 * @category models
 * @since 0.1.0
 */
export const Behaviour = Schema.Struct({
  ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 })),
  // said more than once so that most of what is generated ends well
  ends: Schema.Literals(["well", "fail", "well", "die", "well", "never", "well"])
})
/**
 * @category models
 * @since 0.1.0
 */
export type Behaviour = typeof Behaviour.Type

/**
 * A service of a generated graph. `needs` are places of earlier services in the list, taken modulo its own place.
 *
 * @category models
 * @since 0.1.0
 */
export const ServicePlan = Schema.Struct({
  needs: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 }))).check(Schema.isMaxLength(3)),
  acquire: Behaviour,
  release: Behaviour,
  /** Its own stop timeout in milliseconds. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_500 })))
})
/**
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
 * @category models
 * @since 0.1.0
 */
export type Command = typeof Command.Type

/**
 * What happened to a probe, in the order in which it happened.
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
 * The independent trace that probes write.
 *
 * @category models
 * @since 0.1.0
 */
export class Journal {
  readonly entries: Array<Entry> = []

  /** The place of the first entry of that kind, or -1. */
  indexOf(service: string, what: Entry["what"]): number {
    return this.entries.findIndex((entry) => entry.service === service && entry.what === what)
  }

  has(service: string, what: Entry["what"]): boolean {
    return this.indexOf(service, what) >= 0
  }
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ProbeOptions extends Service.Options {
  readonly acquire?: Behaviour | undefined
  readonly release?: Behaviour | undefined
  /** The layers of what it needs. */
  readonly needs?: ReadonlyArray<Layer.Layer<never>> | undefined
}

const atOnce: Behaviour = { ms: 0, ends: "well" }

/**
 * A service that records its life in a journal, and whose start and stop go as they are told to.
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
      // a failure is a defect too where nothing may fail: the journal tells them apart
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
  const own = Service.layer(tag, Effect.as(Effect.acquireRelease(acquire, () => release), { name }), options)
  const [first, ...rest] = needs
  return first === undefined ? own : Layer.provide(own, [first, ...rest])
}

/**
 * The name of the probe at a place of a generated graph.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probeName = (place: number): string => `probe-${place}`

/**
 * The places of what the service at a place needs: earlier ones, each once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const needsOf = (plan: ServicePlan, place: number): ReadonlyArray<number> =>
  place === 0 ? [] : [...new Set(plan.needs.map((need) => need % place))]

/**
 * The probes of a generated graph, as the services of a job. One that several others need is built once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probes = (journal: Journal, plans: ReadonlyArray<ServicePlan>): Layer.Layer<never> => {
  const layers: Array<Layer.Layer<never>> = []
  plans.forEach((plan, place) => {
    layers.push(probe(journal, probeName(place), {
      acquire: plan.acquire,
      release: plan.release,
      needs: needsOf(plan, place).flatMap((need) => layers[need] ?? []),
      ...(plan.limit === undefined ? {} : { stop: { timeout: plan.limit } })
    }))
  })
  const [first, ...rest] = layers
  return first === undefined ? Layer.empty : Layer.mergeAll(first, ...rest)
}
