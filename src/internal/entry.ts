/** The Python part of Ray hosts. */
export const hostPy = new URL("../host/host.py", import.meta.url)

/** The file that a thread or process of this package begins with: the sources run as well as what was built of them. */
const entry = (path: string): URL =>
  new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

export const entries = {
  threadMain: entry("../host/threadMain"),
  processMain: entry("../host/processMain"),
  watchdog: entry("../host/watchdog"),
  rayGuard: entry("../host/ray/guardMain"),
  isolatedMain: entry("../cli/isolatedMain"),
  jobMain: entry("../manager/jobMain"),
  inspectorMain: entry("../manager/inspectorMain"),
  bundleHooks: entry("../manager/bundleHooks")
}
