/**
 * Jobs: what to run. A job has a name, the Schemas of its payload, success and error, the `run` itself, and the Layer of
 * its services.
 *
 * The contract can stand alone, so that a client need not import the implementation:
 *
 * ```ts
 * import { Job } from "autostop"
 * import { Effect, Schema } from "effect"
 *
 * // the contract
 * const Greet = Job.make("greet", { payload: { name: Schema.String }, success: Schema.String })
 * // the job
 * const greet = Greet.implement({ run: ({ name }) => Effect.succeed(`Hello, ${name}!`) })
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Struct from "effect/Struct"
import { propertyOf } from "./base/valueText.ts"
import { CurrentRun } from "./internal/run/currentRun.ts"
import { NotBegun } from "./internal/run/workUnits.ts"
import type { StopPolicy } from "./StopPolicy.ts"

const TypeId = "~autostop/Job"

/**
 * The contract of a job: its name, and the Schemas of its payload, success and error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contract<
  out Name extends string,
  out Payload extends Schema.Top,
  out Success extends Schema.Top,
  out Error extends Schema.Top
> {
  readonly [TypeId]: typeof TypeId
  readonly name: Name
  readonly payload: Payload
  readonly success: Success
  readonly error: Error
  readonly stopPolicy: StopPolicy.Settings | undefined
  /** `reused` lets a job manager run several of this job in one process, one after the other. */
  readonly process: "fresh" | "reused"
  /** The `import.meta.url` of the module that exports the job: remote clients bundle that module and upload it. */
  readonly module: string | undefined

  /** Adds the services and the `run`. */
  implement(implementation: {
    readonly services?: undefined
    readonly run: Run<Payload["Type"], Success["Type"], Error["Type"], Scope.Scope>
  }): Job<Name, Payload, Success, Error>
  /** Adds the services and the `run`. */
  implement<ROut, LE>(implementation: {
    /** The services of the job. If `run` needs a service that this lacks, it does not compile. */
    readonly services: Layer.Layer<ROut, LE> | undefined
    /** The work. Its Scope closes when it ends, before any service is released. */
    readonly run: Run<Payload["Type"], Success["Type"], Error["Type"], NoInfer<ROut> | Scope.Scope>
  }): Job<Name, Payload, Success, Error>
}

type Run<Payload, A, E, R> = (payload: Payload) => Effect.Effect<A, E, R>

/**
 * A job that can be submitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job<
  out Name extends string,
  out Payload extends Schema.Top,
  out Success extends Schema.Top,
  out Error extends Schema.Top
> extends Contract<Name, Payload, Success, Error> {
  /** The implementation without its types, which were checked against each other where the job was made. */
  readonly implementation: AnyImplementation
}

/**
 * The parts of a contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition<Payload, Success, Error> {
  /** The Schema of its payload, or the fields of a struct; by default it needs none. */
  readonly payload?: Payload
  /** The Schema of what it returns; `Schema.Void` by default. */
  readonly success?: Success
  /** The Schema of its failures; `Schema.Never` by default: then it may only fail by a defect. */
  readonly error?: Error
  /** The settings of its stop; the options of a submit win over them. */
  readonly stopPolicy?: StopPolicy.Settings | undefined
  /**
   * With `"reused"` a job manager where this job is registered gives its process the next one of this job, in which the module is
   * loaded already: what the module keeps in variables is shared. The process ends after a job that did not complete by itself, was not
   * clean or left anything behind. `"fresh"` by default: each job has a process of its own.
   */
  readonly process?: "fresh" | "reused" | undefined
  /**
   * The `import.meta.url` of the module that exports the job, so that remote clients can bundle and upload that module.
   */
  readonly module?: string | undefined
}

/**
 * A contract of any type. Every job is one.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyContract = Contract<string, Schema.Top, Schema.Top, Schema.Top>
/**
 * A job of any type.
 *
 * @category models
 * @since 0.1.0
 */
export type Any = Job<string, Schema.Top, Schema.Top, Schema.Top>

/**
 * The failure of a job whose service could not start (`phase` is `start`), or died while the job ran (`run`).
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceError extends Schema.TaggedError<ServiceError>()("ServiceError", {
  service: Schema.String,
  phase: Schema.Literals(["start", "run"]),
  message: Schema.String,
  cause: Schema.Defect()
}) {}

type Fields = Schema.Struct.Fields
type SchemaOf<P extends Schema.Top | Fields> = P extends Schema.Top ? P : P extends Fields ? Schema.Struct<P> : never
/** The type of some fields, written so that an editor shows it as a plain object. */
type TypeOf<P extends Schema.Top | Fields> = P extends Schema.Top ? P["Type"]
  : P extends Fields ? Struct.Simplify<Schema.Struct<P>["Type"]>
  : never

/**
 * Defines a job, or, without `run`, only its contract. Two jobs of one name are two jobs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <
    const Name extends string,
    P extends Schema.Top | Fields = {},
    S extends Schema.Top = typeof Schema.Void,
    E extends Schema.Top = typeof Schema.Never
  >(
    name: Name,
    definition?: Definition<P, S, E> & { readonly services?: undefined; readonly run?: undefined }
  ): Contract<Name, SchemaOf<P>, S, E>
  <
    const Name extends string,
    P extends Schema.Top | Fields = {},
    S extends Schema.Top = typeof Schema.Void,
    E extends Schema.Top = typeof Schema.Never
  >(
    name: Name,
    definition: Definition<P, S, E> & {
      readonly services?: undefined
      readonly run: Run<TypeOf<P>, S["Type"], E["Type"], Scope.Scope>
    }
  ): Job<Name, SchemaOf<P>, S, E>
  // error messages refer to the last overload
  <
    const Name extends string,
    ROut,
    LE,
    P extends Schema.Top | Fields = {},
    S extends Schema.Top = typeof Schema.Void,
    E extends Schema.Top = typeof Schema.Never
  >(
    name: Name,
    definition: Definition<P, S, E> & {
      /** The services of the job. If `run` needs a service that this lacks, it does not compile. */
      readonly services: Layer.Layer<ROut, LE> | undefined
      /** The work. Its Scope closes when it ends, before any service is released. */
      readonly run: Run<TypeOf<P>, S["Type"], E["Type"], NoInfer<ROut> | Scope.Scope>
    }
  ): Job<Name, SchemaOf<P>, S, E>
} = (
  name: string,
  definition: Definition<Schema.Top | Fields, Schema.Top, Schema.Top> & {
    readonly run?: AnyImplementation["run"] | undefined
    readonly services?: AnyImplementation["services"]
  } = {}
): never => {
  const payload = definition.payload ?? {}
  const contract = {
    [TypeId]: TypeId,
    name,
    payload: Schema.isSchema(payload) ? payload : Schema.Struct(payload),
    success: definition.success ?? Schema.Void,
    error: definition.error ?? Schema.Never,
    stopPolicy: definition.stopPolicy,
    process: definition.process ?? "fresh",
    module: definition.module,
    implement: (implementation: AnyImplementation) => ({ ...contract, implementation })
  }
  const { run, services } = definition
  // safe: each overload describes what is built here from the same arguments
  return (run === undefined ? contract : contract.implement({ run, services })) as never
}

/**
 * An implementation of any type.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyImplementation {
  /** The work. */
  readonly run: (payload: never) => Effect.Effect<unknown, unknown, unknown>
  readonly services?: Layer.Layer<never, unknown, never> | undefined
}

/**
 * Returns true for a job or the contract of one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isContract = (u: unknown): u is AnyContract => propertyOf(u, TypeId) === TypeId

/**
 * Returns true for a job that can run.
 *
 * @category guards
 * @since 0.1.0
 */
export const isJob = (u: unknown): u is Any => isContract(u) && "implementation" in u

/**
 * Waits until this job is being stopped. Never ends outside of a job.
 *
 * **When to use**
 *
 * To take no new work at once, say to fail a readiness probe, while the work under way goes on.
 *
 * @category stopping
 * @since 0.1.0
 */
export const stopping: Effect.Effect<void> = Effect.withFiber((fiber) =>
  fiber.getRef(CurrentRun)?.stopping.await ?? Effect.never
)

/**
 * Marks a unit of work, which a drain waits for: a request, a message, a file. Any number of them may run at once. The report
 * has a line for each name: how many ended by themselves (`count`), and how many were cut off (`dropped`).
 *
 * **When to use**
 *
 * Where work comes without a source: in a loop, in the handlers of a server. A drain waits for the whole run if
 * `stopPolicy: { drain: "run" }` says so.
 *
 * **Details**
 *
 * Once a job drains, no more units begin, other than those within a unit that runs, and, while the drain waits for the run,
 * those of the run. A fiber that is to begin another one waits until the units that run have ended, so that it takes none of
 * them along, and is interrupted then: `Job.isNotBegun` tells that interrupt from others. A job that has units that run is not
 * idle. Outside of a job a unit is just the effect.
 *
 * **Example** (Working at a queue of jobs)
 *
 * ```ts
 * import { Job } from "autostop"
 * import { Effect } from "effect"
 *
 * declare const next: Effect.Effect<string>
 * declare const resize: (image: string) => Effect.Effect<void>
 *
 * const worker = next.pipe(
 *   Effect.flatMap((image) => Job.unit("image", resize(image))),
 *   Effect.forever
 * )
 * ```
 *
 * @see {@link stopping} to take no new work at once
 * @category stopping
 * @since 0.2.0
 */
export const unit: {
  (name: string): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
} = (<A, E, R>(name: string, effect?: Effect.Effect<A, E, R>) => {
  const around = (effect: Effect.Effect<A, E, R>) =>
    Effect.withFiber<A, E, R>((fiber) => fiber.getRef(CurrentRun)?.units.around(name, effect) ?? effect)
  return effect === undefined ? around : around(effect)
  // safe: with an effect it returns one, and without it a function
}) as never

/**
 * Returns true if the cause interrupted a fiber because it was to begin a unit while its job drained.
 *
 * @category stopping
 * @since 0.2.0
 */
export const isNotBegun = (cause: Cause.Cause<unknown>): boolean =>
  Context.getOption(Cause.annotations(cause), NotBegun)._tag === "Some"
