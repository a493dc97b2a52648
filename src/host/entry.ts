/** The file of this package that a host begins with: the sources run as well as what was built of them. */
export const entry = (name: "threadMain" | "processMain" | "watchdog"): URL =>
  new URL(`./${name}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)
