import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { type ServiceSettings, variablePrefix } from "./serviceLimits.ts"

type RawServices = { readonly [variable: string]: { readonly release: string } }

/** Reads the variables that limit single services. Nobody knows the names of the services yet, so they are looked for. */
export const serviceVariables: Effect.Effect<RawServices, Config.ConfigError> = Effect.gen(function*() {
  const provider = yield* ConfigProvider.ConfigProvider
  const found: Record<string, { readonly release: string }> = {}
  const visit = (path: ReadonlyArray<string>): Effect.Effect<void, ConfigProvider.SourceError> =>
    Effect.flatMap(provider.load(path), (node) => {
      if (node === undefined) return Effect.void
      const name = path.join("_")
      if (node.value !== undefined && name.startsWith(variablePrefix)) found[name] = { release: node.value }
      return Effect.forEach(childrenOf(node), (key) => visit([...path, key]), { discard: true })
    })
  // variables are found by their parts, the keys of an object by their whole names
  yield* visit(variablePrefix.split("_").filter((part) => part !== ""))
  const root = yield* provider.load([])
  for (const key of root === undefined ? [] : childrenOf(root)) if (key.startsWith(variablePrefix)) yield* visit([key])
  return found
}).pipe(Effect.mapError((error) => new Config.ConfigError(error)))

const childrenOf = (node: ConfigProvider.Node): ReadonlyArray<string> => {
  switch (node._tag) {
    case "Record":
      return [...node.keys]
    case "Array":
      return Array.from({ length: node.length }, (_, index) => String(index))
    case "Value":
      return []
  }
}

/** Adds the variables of single services to the settings of a configuration. */
export const withServiceVariables = <A extends object>(
  settings: A
): Effect.Effect<A & { readonly services?: ServiceSettings }, Config.ConfigError> =>
  Effect.map(serviceVariables, (services) =>
    // safe: what a variable has is checked as any other setting
    Object.keys(services).length === 0 ? settings : { ...settings, services: services as unknown as ServiceSettings })
