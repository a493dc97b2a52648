/**
 * Services that live elsewhere: in worker threads, in processes of their own, or in actors of a Ray cluster, chosen by an
 * option or a setting.
 *
 * **When to use**
 *
 * Use for a service whose work would block the event loop of a job, that may crash without taking the job down, or that
 * needs the resources of another machine. A service that only waits for others is best left in process.
 *
 * **Details**
 *
 * The contract of such a service is an `RpcGroup`, and a module of its own serves it:
 *
 * ```ts
 * import { Host } from "autostop"
 * import { Effect, Schema } from "effect"
 * import { Rpc, RpcGroup } from "effect/rpc"
 *
 * // primes.ts: the contract, which callers import
 * export class Primes extends Host.Service<Primes>()("math/Primes", {
 *   group: RpcGroup.make(Rpc.make("count", { payload: { to: Schema.Int }, success: Schema.Int })),
 *   module: new URL("./primes.host.ts", import.meta.url)
 * }) {}
 *
 * // primes.host.ts: the implementation, which the host loads
 * declare const countPrimes: (to: number) => number
 * export default Host.serve(Primes, Primes.group.toLayer({ count: ({ to }) => Effect.sync(() => countPrimes(to)) }))
 *
 * // flights.ts: the services of a job
 * export const services = Host.layer(Primes, { host: "process", replicas: 4 })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import { parseDuration } from "./base/durationInput.ts"
import { illegalOption } from "./base/illegalOption.ts"
import type { OpenHost, Transport } from "./host/caller/hostConnection.ts"
import type { MakeTransport, RemoteOptions } from "./host/caller/remoteService.ts"
import { type Client, type Contract, contractOf, Idempotent } from "./host/contract.ts"
import { type HostKind, hostOf, kinds } from "./host/hostChoice.ts"
import type { HostError } from "./host/hostError.ts"
import { type Served, ServedTypeId } from "./host/hostModule.ts"
import { buildLocal } from "./host/inProcess.ts"
import type { Build } from "./host/serviceBuild.ts"
import { checkRayOptions, type RayOptions, raySettingsOf } from "./host/raySettings.ts"
import * as restarts from "./host/restartPolicy.ts"
import type { PolicyError } from "./internal/policy/policyError.ts"
import { buildAs } from "./internal/service/acquire.ts"
import { CurrentRegistry } from "./internal/service/currentRegistry.ts"
import type { ServiceSpec } from "./internal/service/serviceRecord.ts"
import { type ServiceOptions, serviceSpec } from "./internal/service/serviceOptions.ts"
import type { DurationSetting } from "./StopPolicy.ts"

export { type Client } from "./host/contract.ts"
export { type HostKind } from "./host/hostChoice.ts"
export { HostError } from "./host/hostError.ts"
export { type Served } from "./host/hostModule.ts"
export { type RayOptions } from "./host/raySettings.ts"
export { type RestartPolicy } from "./host/restartPolicy.ts"

/**
 * The restart policies that most services need.
 *
 * **Details**
 *
 * - `never`: the first host that dies makes the job fail
 * - `fixed({ delay, times? })`: a host is replaced after the same delay each time
 * - `exponential({ delay, factor?, maxDelay?, times? })`: after delays that grow, up to 30 seconds by default
 * - `failureRate({ failures, interval, delay })`: until more hosts than that have died within one interval
 *
 * Each throws an `IllegalArgumentError` for an option that cannot be used.
 *
 * @see {@link RestartPolicy} for any other `Schedule`
 * @category restarting
 * @since 0.1.0
 */
export const restart = restarts

/**
 * The tag of a service that may live elsewhere. The service is a client with a method for each request of its group.
 *
 * @see {@link Service} for the constructor
 * @category models
 * @since 0.1.0
 */
export interface Tag<in out Self, in out Id extends string, in out Rpcs extends Rpc.Any>
  extends Context.ServiceClass<Self, Id, Client<Rpcs>>
{
  readonly group: RpcGroup.RpcGroup<Rpcs>
  /** The URL of the module that serves it. */
  readonly module: string
  /** @internal */
  readonly contract: Contract
}

/**
 * Defines a service that may live elsewhere: a tag with the requests that it answers, and the module that serves them.
 *
 * **Details**
 *
 * `version` is a text for people, `"1"` by default. A host whose module serves another version does not start, and the
 * error names both. It does not start either if the requests or their Schemas differ.
 *
 * **Gotchas**
 *
 * Requests with middleware are refused with an `Error`: no host runs it.
 *
 * @see {@link serve} for the module
 * @see {@link layer} for the use in a job
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
  // safe: the three fields are what a tag has more than a class of Context
  return Object.assign(Context.Service<Self, Client<Rpcs>>()(id), {
    group,
    module: String(module),
    contract: contractOf(id, version, group.requests.values())
  }) as Tag<Self, Id, Rpcs>
}

/**
 * Makes the export of the module that serves a service, from the layer of its handlers, which `RpcGroup.toLayer` makes.
 *
 * **Details**
 *
 * The services beneath the handlers are layers, too. The host releases them before it exits.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = <Self, Id extends string, Rpcs extends Rpc.Any, E>(
  tag: Tag<Self, Id, Rpcs>,
  layer: Layer.Layer<Rpc.ToHandler<Rpcs>, E>
): Served => ({ [ServedTypeId]: ServedTypeId, contract: tag.contract, layer })

/**
 * Marks a request as one that is sent to another host if the host that had it is lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const idempotent = <
  R extends {
    /** Returns the procedure with the annotation. */
    annotate(key: typeof Idempotent, value: boolean): R
  }
>(rpc: R): R => rpc.annotate(Idempotent, true)

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends ServiceOptions {
  /**
   * The kind of host that the service lives in. By default the variable of the service (`AUTOSTOP_HOST_MATH_PRIMES` for
   * `math/Primes`), then `AUTOSTOP_HOST`, then `local`.
   */
  readonly host?: HostKind | undefined
  /** The number of hosts that share the calls; 1 by default. A service in process always has one. */
  readonly replicas?: number | undefined
  /**
   * The policy by which a host that died is replaced; by default `failureRate` with 3 failures in 1 minute, after 100
   * ms.
   */
  readonly restart?: restarts.RestartPolicy | undefined
  /** The interval at which the event loop of a host is pinged; 1 second by default, `"Infinity"` for never. */
  readonly heartbeat?: DurationSetting | undefined
  /** The cluster and the resources of its hosts, if they are Ray actors. */
  readonly ray?: RayOptions | undefined
}

/**
 * Provides a service wherever it lives.
 *
 * **Details**
 *
 * - Each call goes to the host with the fewest calls in flight.
 * - A host that dies is replaced as the restart policy says. If it says no more, the service, and with it the job, fails.
 * - The release lets the calls in flight end, for half of its limit at most, and has the services of each host released.
 *   A host that does not exit within the limit is killed, with all processes that it started.
 *
 * The layer fails with a `HostError` if a host cannot start, and with a `PolicyError` if a variable cannot be used. A
 * call fails with a `HostError` if the host that has it is lost, unless its request is {@link idempotent}, and once the
 * service has been stopped.
 *
 * **Gotchas**
 *
 * Throws an `IllegalArgumentError` for an option that cannot be used.
 *
 * @see {@link Service} for the tag
 * @see {@link restart} for the restart policies
 * @category constructors
 * @since 0.1.0
 */
export const layer = <Self, Id extends string, Rpcs extends Rpc.Any>(
  tag: Tag<Self, Id, Rpcs>,
  options: Options = {}
): Layer.Layer<Self, HostError | PolicyError> => {
  const name = options.name ?? tag.key
  const remote = remoteOptions(name, options)
  const anywhere = serviceSpec(name, options, "local")
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      const host = yield* hostOf(tag.key, options.host)
      const spec = { ...anywhere, host }
      const build = host === "local"
        ? buildLocal(tag, spec)
        : yield* buildElsewhere(tag, { ...spec, host }, options.ray, remote)
      // safe: the client has a method for each request of the group
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

const defaultRestart = () => restarts.failureRate({ failures: 3, interval: "1 minute", delay: "100 millis" })

/** Checks the options that only matter if the service lives elsewhere. */
const remoteOptions = (name: string, options: Options) => {
  const { heartbeat = "1 second", host, ray, replicas = 1, restart = defaultRestart() } = options
  if (host !== undefined && !kinds.includes(host)) {
    throw illegalOption(`host of service "${name}"`, host, `one of ${kinds.join(", ")}`)
  }
  if (!Number.isSafeInteger(replicas) || replicas < 1) {
    throw illegalOption(`replicas of service "${name}"`, replicas, "a whole number of at least 1")
  }
  const interval = parseDuration(heartbeat)
  if (interval === undefined || Duration.isZero(interval)) {
    const expected = "a duration of more than zero, such as \"500ms\" or \"1 second\", or \"Infinity\" for none"
    throw illegalOption(`heartbeat of service "${name}"`, heartbeat, expected)
  }
  checkRayOptions(name, ray)
  return { replicas, restart, heartbeatMs: Duration.toMillis(interval) }
}

/** The code for hosts is loaded only if a service lives in one, and that for a cluster only if it lives there. */
const buildElsewhere = Effect.fnUntraced(function*(
  tag: { readonly contract: Contract; readonly module: string },
  spec: ServiceSpec & { readonly host: Exclude<HostKind, "local"> },
  ray: RayOptions | undefined,
  options: RemoteOptions
): Effect.fn.Return<Build, PolicyError> {
  const { buildRemote, openProcess, openThread } = yield* Effect.promise(() => import("./host/remoteHosts.ts"))
  const remotely = (make: MakeTransport) => buildRemote(tag, spec, make, options)
  if (spec.host !== "ray") return remotely(onThisMachine(spec.host === "thread" ? openThread : openProcess))
  const settings = yield* raySettingsOf(ray)
  return remotely((limits) =>
    Effect.map(
      Effect.promise(() => import("./host/ray/rayTransport.ts")),
      ({ RayTransport }): Transport => new RayTransport(settings, limits)
    )
  )
})

const onThisMachine = (open: OpenHost): MakeTransport => () =>
  Effect.succeed({ open, moduleOf: (module) => module, end: () => Effect.void, leftovers: () => [] })
