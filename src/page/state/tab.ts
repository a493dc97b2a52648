/** Ties the feed of this tab to what is shown. */
import { effect, signal } from "@preact/signals"
import { Feed } from "../api/feed.ts"
import type { FeedMessage } from "../api/models.ts"
import { heard, setClock } from "./clock.ts"
import { dropJob, takeCounts, takeJob, takeOverview } from "./jobs.ts"
import { OpenJob } from "./openJob.ts"
import { jobHref, replaceRoute, route } from "./route.ts"

export const openJob = signal<OpenJob | undefined>(undefined)

const take = (message: FeedMessage): void => {
  const job = openJob.peek()
  switch (message._tag) {
    case "Overview":
      setClock(message.at)
      takeOverview(message)
      // it may have stopped while the feed was broken
      if (job?.info === undefined || job.info.state === "stopped") void job?.refresh()
      return
    case "Counts":
      heard(message.at)
      return takeCounts(message.counts, message.ready)
    case "Job":
      takeJob(message.info)
      if (job?.id === message.info.id) {
        job.takeInfo(message.info)
        showStop(job)
      }
      return
    case "Stages":
      return job?.id === message.id ? job.takeStages(message.stages) : undefined
    case "Event":
      return job?.id === message.id ? job.takeEvent(message.seq, message.event) : undefined
    case "Line":
      return job?.id === message.id ? job.takeLine(message.line) : undefined
    case "Gone":
      dropJob(message.id)
      if (job?.id === message.id) job.isGone.value = true
  }
}

/** A stop opens by itself, once, for whoever looks at the job itself. */
const shown = new Set<string>()
const showStop = ({ id, info }: OpenJob): void => {
  const now = route.peek()
  if (info?.state !== "stopping" || shown.has(id) || now.screen !== "job") return
  shown.add(id)
  if (now.tab === "job") replaceRoute(jobHref(id, "stop"))
}

/** Begins the feed, and begins it again with each job that is opened. */
export const beginTab = (): void => {
  let showsLog = false
  const feed = new Feed({
    query: () => {
      const job = openJob.peek()
      if (job === undefined) return {}
      return { job: job.id, after: job.lastSeq, ...(showsLog ? { line: job.log.lastSeq } : {}) }
    },
    onMessages: (messages) => messages.forEach(take)
  })
  effect(() => {
    const now = route.value
    const id = now.screen === "job" ? now.id : undefined
    const wasLog = showsLog
    showsLog = now.screen === "job" && now.tab === "logs"
    if (openJob.peek()?.id !== id) openJob.value = id === undefined ? undefined : new OpenJob(id)
    else if (wasLog === showsLog || !showsLog) return
    feed.restart()
  })
}
