/**
 * Where a service lives: in process, in a worker thread, in a process of its own, or in actors of a Ray cluster, chosen by
 * an option or a setting.
 *
 * A service that may live elsewhere has an `RpcGroup` as its contract, and a module that serves it:
 *
 * ```ts
 * // primes.ts: the contract, which callers import
 * export class Primes extends Host.Service<Primes>()("math/Primes", {
 *   group: RpcGroup.make(Rpc.make("count", { payload: { to: Schema.Int }, success: Schema.Int })),
 *   module: new URL("./primes.host.ts", import.meta.url)
 * }) {}
 *
 * // primes.host.ts: the implementation, which the host loads
 * export default Host.serve(Primes, Primes.group.toLayer({ count: ({ to }) => Effect.sync(() => sieve(to)) }))
 *
 * // and where it is used
 * services: Host.layer(Primes, { host: "process", replicas: 4 })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import { type HostKind, hostOf, kinds } from "./host/hostChoice.ts"
import { type Client, type Contract, contractOf, Idempotent } from "./host/contract.ts"
import { HostError } from "./host/hostError.ts"
import { buildLocal } from "./host/inProcess.ts"
import type { Restart } from "./host/caller/replicaPool.ts"
import { checkRayOptions, type RayOptions, raySettingsOf } from "./host/ray/settings.ts"
import { buildRemote } from "./host/caller/remoteService.ts"
import * as restarts from "./host/restartPolicy.ts"
import { type Served, ServedTypeId } from "./host/hostModule.ts"
import { CurrentRegistry } from "./internal/service/currentRegistry.ts"
import { buildAs } from "./internal/service/acquire.ts"
import { durationOption, type ServiceOptions, serviceSpec } from "./internal/service/serviceOptions.ts"
import { PolicyError } from "./internal/policy/policyError.ts"
import type { DurationSetting } from "./StopPolicy.ts"

export { type Restart } from "./host/caller/replicaPool.ts"
export { type Client } from "./host/contract.ts"
export { type HostKind } from "./host/hostChoice.ts"
export { HostError } from "./host/hostError.ts"
export { type Served } from "./host/hostModule.ts"
export { type RayOptions } from "./host/ray/settings.ts"

/**
 * When a host that died is replaced: any `Schedule`, or one of these. A Schedule that ends makes the job fail.
 *
 * - `never`: the first host that dies makes the job fail
 * - `fixed({ delay, times? })`: after the same delay each time
 * - `exponential({ delay, factor?, maxDelay?, times? })`: after delays that grow, up to 30 seconds
 * - `failureRate({ failures, interval, delay })`: until there are more failures than that in one interval
 *
 * @category restarting
 * @since 0.1.0
 */
export const restart = restarts

/**
 * The tag of a service that may live elsewhere. What it gives is a client with a method for each request of its group.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tag<in out Self, in out Id extends string, in out Rpcs extends Rpc.Any>
  extends Context.ServiceClass<Self, Id, Client<Rpcs>>
{
  readonly group: RpcGroup.RpcGroup<Rpcs>
  /** The module that serves it, as a URL. */
  readonly module: string
  /** @internal */
  readonly contract: Contract
}

/**
 * Defines a service that may live elsewhere: a tag, with the requests it answers and the module that serves them.
 *
 * *Details*: `version` is for people: what a caller and a host hold different versions of does not start, and the error
 * names both. Where the requests or their Schemas differ it does not start either, whatever the versions say.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service = <Self>() =>
<const Id extends string, Rpcs extends Rpc.Any>(
  id: Id,
  definition: {
    readonly group: RpcGroup.RpcGroup<Rpcs>
    readonly module: URL | string
    readonly version?: string | undefined
  }
): Tag<Self, Id, Rpcs> => {
  const { group, module, version = "1" } = definition
  // safe: it adds to the class what its type says
  return Object.assign(Context.Service<Self, Client<Rpcs>>()(id), {
    group,
    module: String(module),
    contract: contractOf(id, version, group.requests.values())
  }) as Tag<Self, Id, Rpcs>
}

/**
 * What the module of a service exports: its contract, and the layer of its handlers, as `RpcGroup.toLayer` makes it. The
 * services beneath the handlers are layers too, and are released in the host before it ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = <Self, Id extends string, Rpcs extends Rpc.Any, E>(
  tag: Tag<Self, Id, Rpcs>,
  layer: Layer.Layer<Rpc.ToHandler<Rpcs>, E>
): Served => ({ [ServedTypeId]: ServedTypeId, contract: tag.contract, layer })

/**
 * Marks a request as one that may be sent again when the host that had it is lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const idempotent = <R extends { annotate(key: typeof Idempotent, value: boolean): R }>(rpc: R): R =>
  rpc.annotate(Idempotent, true)

/**
 * @category models
 * @since 0.1.0
 */
export interface Options extends ServiceOptions {
  /** By default `AUTOSTOP_HOST_<SERVICE>` (`AUTOSTOP_HOST_MATH_PRIMES`), then `AUTOSTOP_HOST`, then `local`. */
  readonly host?: HostKind | undefined
  /** How many hosts share the calls; 1 by default. In process there is always one. */
  readonly replicas?: number | undefined
  /** When a host that died is replaced; by default `failureRate` with 3 failures in a minute, after 100 ms. */
  readonly restart?: Restart | undefined
  /** How often it is asked whether the event loop of a host still turns; 1 second by default. */
  readonly heartbeat?: DurationSetting | undefined
  /** Where its hosts run and what they ask for, where they are Ray actors. */
  readonly ray?: RayOptions | undefined
}

/**
 * The service, wherever it lives. A call fails with a `HostError` when the host that has it is lost, unless its request
 * is `idempotent`: then it is sent to another one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = <Self, Id extends string, Rpcs extends Rpc.Any>(
  tag: Tag<Self, Id, Rpcs>,
  options: Options = {}
): Layer.Layer<Self, HostError | PolicyError> => {
  const name = options.name ?? tag.key
  if (options.host !== undefined && !kinds.includes(options.host)) {
    throw PolicyError.of(`the host of service "${name}"`, options.host, `one of ${kinds.join(", ")}`)
  }
  const { replicas = 1 } = options
  if (!Number.isSafeInteger(replicas) || replicas < 1) {
    throw PolicyError.of(`the replicas of service "${name}"`, replicas, "a whole number of at least 1")
  }
  const heartbeatMs = durationOption(`the heartbeat of service "${name}"`, options.heartbeat) ?? 1_000
  if (heartbeatMs === 0) {
    throw PolicyError.of(
      `the heartbeat of service "${name}"`,
      options.heartbeat,
      "a duration of more than zero, or \"Infinity\" for none"
    )
  }
  checkRayOptions(name, options.ray)
  const settings = { replicas, restart: options.restart ?? defaultRestart, heartbeatMs }
  const anywhere = serviceSpec(name, options, "local")
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      const host = yield* hostOf(tag.key, options.host)
      const where = host === "ray" ? yield* raySettingsOf(options.ray) : host
      const spec = { ...anywhere, host }
      const build = where === "local" ? buildLocal(tag, spec) : buildRemote(tag, spec, where, settings)
      // safe: it has a method for each request of the group
      const provide = Effect.map((client: object) => Context.make(tag, client as Client<Rpcs>))
      return yield* Effect.withFiber((fiber) => {
        const registry = fiber.getRef(CurrentRegistry)
        return registry === undefined
          ? provide(build({ memoMap, scope, managed: undefined }))
          : registry.start(spec, memoMap, scope, (record, within) =>
            buildAs(
              record,
              provide(build({ memoMap: within, scope: record.scope, managed: { record, registry } }))
            ))
      })
    })
  )
}

const defaultRestart = restarts.failureRate({ failures: 3, interval: "1 minute", delay: "100 millis" })
