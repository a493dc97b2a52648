import { entryPoint } from "../process/entryPoints.ts"

/** The Python part of Ray hosts. */
export const hostPy = new URL("./ray/host.py", import.meta.url)

/** The files that the threads, processes and Ray actors of hosts begin with. */
export const entries = {
  threadMain: entryPoint(import.meta.url, "./transport/threadMain"),
  processMain: entryPoint(import.meta.url, "./transport/processMain"),
  rayGuard: entryPoint(import.meta.url, "./ray/guardMain")
}
