/** The notices above each screen: the feed is broken, the manager takes no jobs, the page is of another version. */
import { useEffect } from "preact/hooks"
import { feedState } from "../api/feed.ts"
import { actionFault, role, tokenFault } from "../api/session.ts"
import { managerNow } from "../state/clock.ts"
import { manager } from "../state/jobs.ts"
import { timeText } from "./text.ts"

/** The version that this page was built with. The build puts it here. */
declare global {
  var AUTOSTOP_VERSION: string
}
const pageVersion = globalThis.AUTOSTOP_VERSION

export const Notices = () => (
  <div class="notices">
    <FeedNotice />
    <VersionNotice />
    {manager.value?.ready === false &&
      (
        <p class="notice" role="status">
          The manager takes no jobs: it is being stopped, or its store cannot be written.
        </p>
      )}
    {role.value === "read" && <p class="notice quiet">{actionFault()}</p>}
  </div>
)

const FeedNotice = () => {
  const state = feedState.value
  if (state._tag !== "Broken" || tokenFault.value !== undefined) return null
  if (state.isRefused) {
    return (
      <p class="notice alert" role="alert">
        The manager refuses this page: {state.reason}.{" "}
        <button type="button" onClick={() => tokenFault.value = state.reason}>Enter a token</button>
      </p>
    )
  }
  const since = managerNow() - (performance.now() - state.sinceMs)
  return (
    <p class="notice alert" role="alert">
      Cut off since {timeText(new Date(since).toISOString())}:{" "}
      {state.reason}. What you see is from then; the page tries again.
    </p>
  )
}

/** A page that was reloaded for a version and still is of another one is not reloaded for it again. */
const reloadKey = "autostop-reloaded-for"

const VersionNotice = () => {
  const version = manager.value?.version
  const isOther = version !== undefined && version !== pageVersion
  useEffect(() => {
    if (!isOther || sessionStorage.getItem(reloadKey) === version) return
    sessionStorage.setItem(reloadKey, version)
    const timer = setTimeout(() => location.reload(), 1_500)
    return () => clearTimeout(timer)
  }, [isOther, version])
  if (!isOther) return null
  return (
    <p class="notice alert" role="alert">
      The manager has version {version}, and this page is of version {pageVersion}: it loads again.{" "}
      <button type="button" onClick={() => location.reload()}>Load now</button>
    </p>
  )
}
