import * as Context from "effect/Context"
import type { ServiceRegistry } from "./serviceRegistry.ts"

/** The registry of the job that a fiber belongs to. */
export const CurrentRegistry = Context.Reference<ServiceRegistry | undefined>("autostop/CurrentRegistry", {
  defaultValue: () => undefined
})
