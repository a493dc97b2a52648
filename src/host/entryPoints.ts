/** The files that threads, processes and Ray actors of hosts begin with: TypeScript from the sources, else JavaScript. */
const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js"

const entry = (path: string): URL => new URL(path + extension, import.meta.url)

export const entries = {
  threadMain: entry("./transport/threadMain"),
  processMain: entry("./transport/processMain"),
  rayGuard: entry("./ray/guardMain")
}

/** The Python part of Ray hosts. */
export const hostPy = new URL("./ray/host.py", import.meta.url)
