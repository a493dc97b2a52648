/** The route: the screen that the address names. It lies in the hash, because a proxy knows no other path of the page. */
import { computed, signal } from "@preact/signals"

export const jobTabs = ["job", "stop", "graph", "logs", "metrics"] as const
export type JobTab = (typeof jobTabs)[number]

export type Route =
  | { readonly screen: "jobs" | "submit" | "manager" }
  | { readonly screen: "job"; readonly id: string; readonly tab: JobTab }

/** Returns what a hash shows; the jobs if it means nothing. */
export const parseRoute = (hash: string): Route => {
  const [screen = "", id = "", tab = ""] = hash.replace(/^#\/?/, "").split("/").map(decoded)
  if (screen === "jobs" && id !== "") return { screen: "job", id, tab: jobTabs.find((name) => name === tab) ?? "job" }
  return { screen: screen === "submit" || screen === "manager" ? screen : "jobs" }
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const jobHref = (id: string, tab: JobTab = "job"): string =>
  `#/jobs/${encodeURIComponent(id)}${tab === "job" ? "" : `/${tab}`}`

const hash = signal(globalThis.location?.hash ?? "")

/** Reads the address again: something else than a link may have changed it. */
export const syncRoute = (): void => {
  hash.value = location.hash
}
globalThis.addEventListener?.("hashchange", syncRoute)

export const route = computed(() => parseRoute(hash.value))

export const goTo = (href: string): void => {
  location.hash = href
}

/** Shows something else without a new entry in the history: the way back leads to where the user was. */
export const replaceRoute = (href: string): void => {
  history.replaceState(null, "", href)
  hash.value = href
}
