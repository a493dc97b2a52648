/** The file that a thread or process of this package begins with: the sources run as well as what was built of them. */
const entry = (path: string): URL =>
  new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

export const entries = {
  watchdog: entry("./parentWatchdog"),
  isolatedMain: entry("../cli/isolatedMain"),
  jobMain: entry("../manager/process/jobMain"),
  inspectorMain: entry("../manager/process/inspectorMain"),
  bundleHooks: entry("../manager/code/bundleHooks")
}
