/** The Python part of Ray hosts. */
export const hostPy = new URL("../host/ray/host.py", import.meta.url)

/** The file that a thread or process of this package begins with: the sources run as well as what was built of them. */
const entry = (path: string): URL =>
  new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

export const entries = {
  threadMain: entry("../host/transport/threadMain"),
  processMain: entry("../host/transport/processMain"),
  watchdog: entry("./parentWatchdog"),
  rayGuard: entry("../host/ray/guardMain"),
  isolatedMain: entry("../cli/isolatedMain"),
  jobMain: entry("../manager/process/jobMain"),
  inspectorMain: entry("../manager/process/inspectorMain"),
  bundleHooks: entry("../manager/code/bundleHooks")
}
