/** The frame of the page: where one can go, how the feed stands, and the screen. */
import { useEffect } from "preact/hooks"
import { counts, manager } from "./state/jobs.ts"
import { route } from "./state/route.ts"
import { openJob } from "./state/tab.ts"
import { JobScreen } from "./job/jobScreen.tsx"
import { JobsScreen } from "./jobs/jobsScreen.tsx"
import { ManagerScreen } from "./manager/managerScreen.tsx"
import { Notices } from "./parts/notices.tsx"
import { TokenDialog } from "./parts/tokenDialog.tsx"
import { SubmitScreen } from "./submit/submitScreen.tsx"

const places = [
  { screen: "jobs", href: "#/", text: "Jobs" },
  { screen: "submit", href: "#/submit", text: "Submit" },
  { screen: "manager", href: "#/manager", text: "Manager" }
] as const

export const App = () => {
  const now = route.value
  useEffect(() => {
    const stopping = counts.value.stopping
    document.title = now.screen === "job" ?
      `${openJob.value?.info?.job ?? now.id} · autostop` :
      `autostop${stopping > 0 ? ` (${stopping} stopping)` : ""}`
  })
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>Skip to the content</a>
      <header class="top">
        <a class="brand" href="#/">
          <span aria-hidden="true">■</span> autostop
        </a>
        <nav aria-label="Screens">
          {places.map(({ href, screen, text }) => (
            <a key={href} href={href} aria-current={now.screen === screen ? "page" : undefined}>{text}</a>
          ))}
        </nav>
        <span class="version">{manager.value === undefined ? "" : `version ${manager.value.version}`}</span>
      </header>
      <Notices />
      <main id="main" tabIndex={-1}>
        <Screen />
      </main>
      <TokenDialog />
    </>
  )
}

/** The address has the screen in its hash, so that a link to a part of it is followed by hand. */
const skipToMain = (event: Event): void => {
  event.preventDefault()
  document.querySelector<HTMLElement>("#main")?.focus()
}

const Screen = () => {
  switch (route.value.screen) {
    case "jobs":
      return <JobsScreen />
    case "job":
      return openJob.value === undefined ? null : <JobScreen key={openJob.value.id} job={openJob.value} />
    case "submit":
      return <SubmitScreen />
    case "manager":
      return <ManagerScreen />
  }
}
