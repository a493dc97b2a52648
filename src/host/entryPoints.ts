import { entryPoint } from "../process/entryPoints.ts"

/** The Python part of Ray hosts. */
export const hostPy = new URL("./ray/host.py", import.meta.url)

export const entries = {
  threadMain: entryPoint(import.meta.url, "./transport/threadMain"),
  processMain: entryPoint(import.meta.url, "./transport/processMain"),
  rayGuard: entryPoint(import.meta.url, "./ray/guardMain")
}
