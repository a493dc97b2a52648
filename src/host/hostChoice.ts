import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { PolicyError } from "../internal/policy/policyError.ts"
import { checkRayVariables } from "./raySettings.ts"

/** The kinds of hosts, as options and variables name them. */
export const kinds = ["local", "thread", "process", "ray"] as const

/**
 * The host of a service, which is where it lives: `local` in the process of the job, `thread` in worker threads of it, `process` in processes of
 * their own, `ray` in actors of a Ray cluster.
 *
 * @category models
 * @since 0.1.0
 */
export type HostKind = typeof kinds[number]

const prefix = "AUTOSTOP_HOST"

/** Returns the host of a service: its option wins over its own variable, which wins over the variable of all services. */
export const hostOf = Effect.fnUntraced(function*(service: string, own: HostKind | undefined) {
  if (own !== undefined) return own
  const name = service.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase()
  return (yield* read(`${prefix}_${name}`)) ?? (yield* read(prefix)) ?? "local"
})

/** Fails if a variable about hosts cannot be used, whichever service it is about. Runs before the first service starts. */
export const checkHosts: Effect.Effect<void, PolicyError> = Effect.suspend(() =>
  Effect.andThen(check(prefix.split("_")), checkRayVariables)
)

const check = (path: ReadonlyArray<string>): Effect.Effect<void, PolicyError> =>
  Effect.gen(function*() {
    const provider = yield* ConfigProvider.ConfigProvider
    const node = yield* Effect.orElseSucceed(provider.load(path), () => undefined)
    if (node === undefined) return
    if (node.value !== undefined) yield* read(path.join("_"))
    if (node._tag !== "Record") return
    yield* Effect.forEach(node.keys, (key) => check([...path, key]), { discard: true })
  })

const read = Effect.fnUntraced(function*(variable: string) {
  const expected = `one of ${kinds.join(", ")}`
  const value = yield* Effect.mapError(
    Config.option(Config.String(variable)),
    (error) => PolicyError.of(variable, error.message, expected)
  )
  const given = Option.isNone(value) ? "" : value.value.trim()
  if (given === "") return undefined
  return kinds.find((kind) => kind === given) ?? (yield* PolicyError.of(variable, given, expected))
})
