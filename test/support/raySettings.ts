import type { RaySettings } from "../../src/host/raySettings.ts"

/** The settings of a cluster at this address, which nobody has set anything else of. */
export const raySettingsOf = (address: string): RaySettings => ({
  address,
  token: undefined,
  namespace: undefined,
  node: "node",
  python: "python",
  runtimeEnv: {},
  actor: {},
  // safe: no other name is asked for
  names: { address: "ray.address", node: "ray.node" } as RaySettings["names"]
})
