/** One job: its name, state and actions stay, the rest is behind tabs, each with an address of its own. */
import { waitText } from "../../jobProcess/stopText.ts"
import { stopTimeline } from "../../jobProcess/stopTimeline.ts"
import { EndMark, StateMark } from "../parts/marks.tsx"
import { Lazy } from "../parts/lazy.tsx"
import { shown } from "../parts/text.ts"
import { managerNow, useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"
import { jobHref, type JobTab, jobTabs, route } from "../state/route.ts"
import { LogsTab } from "../logs/logsTab.tsx"
import { StopTab } from "../stop/stopTab.tsx"
import { Actions } from "./actions.tsx"
import { JobTabView } from "./jobTab.tsx"

const titles: Readonly<Record<JobTab, string>> = {
  job: "Job",
  stop: "Stop",
  graph: "Graph",
  logs: "Logs",
  metrics: "Metrics"
}

export const JobScreen = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  const { info } = job
  const tab = route.value.screen === "job" ? route.value.tab : "job"
  if (info === undefined) {
    return (
      <section class="screen">
        <h1>
          <bdi>{shown(job.id)}</bdi>
        </h1>
        <p role="status">{job.isGone.value ? "There is no such job, or no longer." : "Reading the job …"}</p>
      </section>
    )
  }
  return (
    <section class="screen job" aria-labelledby="job-title">
      <div class="headline">
        <h1 id="job-title">
          <bdi>{shown(info.job)}</bdi>
        </h1>
        <StateMark state={info.state} />
        <EndMark info={info} />
        <Actions info={info} job={job} />
      </div>
      {job.isGone.value && <p class="notice alert" role="alert">The job was removed; what you see is what it was.</p>}
      {info.state === "stopping" && tab !== "stop" && <WaitLine job={job} />}
      <nav class="tabs" aria-label="Parts of the job">
        {jobTabs.map((name) => (
          <a key={name} href={jobHref(job.id, name)} aria-current={tab === name ? "page" : undefined}>{titles[name]}</a>
        ))}
      </nav>
      <TabView job={job} tab={tab} />
    </section>
  )
}

const TabView = ({ job, tab }: { readonly job: OpenJob; readonly tab: JobTab }) => {
  switch (tab) {
    case "job":
      return <JobTabView job={job} />
    case "stop":
      return <StopTab job={job} />
    case "logs":
      return <LogsTab job={job} />
    case "graph":
      return <Lazy key={tab} load={() => import("../graph/graphTab.tsx")} props={{ job }} />
    case "metrics":
      return <Lazy key={tab} load={() => import("../metrics/metricsTab.tsx")} props={{ job }} />
  }
}

/** Whoever looks at something else while the job stops sees what it waits for. */
const WaitLine = ({ job }: { readonly job: OpenJob }) => {
  useManagerNow(100)
  const stop = stopTimeline(job.projection, managerNow())
  const [first] = stop._tag === "Running" ? [] : stop.awaited
  return (
    <p class="notice">
      {first === undefined ? "The job stops." : `${shown(waitText(first))}.`}{" "}
      <a href={jobHref(job.id, "stop")}>Watch the stop</a>
    </p>
  )
}
