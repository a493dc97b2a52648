import type { Change, JobInfo, JobState } from "../../manager/models.ts"
import { span, table, whole } from "../../base/format.ts"
import { inFlowOrder } from "../../base/stageGraph.ts"
import type { StageReport } from "../../StopReport.ts"
import { Rates } from "./rates.ts"
import * as State from "./boardState.ts"
import { shortIds } from "../remote/shortIds.ts"
import { cleanness } from "../../jobProcess/describeEvent.ts"

/** The order of the states on the board. */
const order = ["stopping", "running", "starting", "queued", "stopped"] as const satisfies ReadonlyArray<JobState>
/** The number of stopped jobs that are shown. */
const kept = 10
/** The interval that rates are measured over. */
const ratesMs = 2_000

/** A manager and its jobs, as `autostop watch` shows them. */
export class Board {
  readonly #url: string
  readonly #jobs = new Map<string, JobInfo>()
  readonly #stages = new Map<string, ReadonlyArray<StageReport>>()
  readonly #rates = new Map<string, Rates>()
  #state = State.empty
  /** The milliseconds by which the clock of the manager is ahead of this one. */
  #aheadMs = 0

  constructor(url: string) {
    this.#url = url
  }

  /** Takes note that the connection is lost. Returns true if that changes the board. */
  lost(): boolean {
    return this.#become(State.connectionLost(this.#state))
  }

  /** Takes note that the manager was heard. Returns true if that changes the board. */
  heard(): boolean {
    return this.#become(State.connectionHeard(this.#state))
  }

  /** Takes a change. Returns the jobs whose state it has changed. */
  take(change: Change, now: number): ReadonlyArray<JobInfo> {
    switch (change._tag) {
      case "Overview": {
        const live = new Set(change.jobs.map(({ id }) => id))
        for (const { id, state } of this.#jobs.values()) if (state !== "stopped" && !live.has(id)) this.#forget(id)
        this.#state = State.overviewCame(change)
        this.#aheadMs = Date.parse(change.at) - now
        return change.jobs.filter((info) => this.#put(info))
      }
      case "Job": {
        const { info } = change
        this.#state = State.jobMoved(this.#state, this.#jobs.get(info.id)?.state, info.state)
        return this.#put(info) ? [info] : []
      }
      case "Stages":
        if (this.#jobs.has(change.id)) this.#stages.set(change.id, change.stages)
        return []
    }
  }

  /** Returns the line about the manager. */
  head(now: number): string {
    if (this.#state._tag === "Empty") return `autostop at ${this.#url}`
    const { ready, startedAt, version } = this.#state.overview
    const state = this.#state._tag === "Outdated"
      ? "CONNECTION LOST, trying again"
      : ready
      ? "ready"
      : "NOT READY, takes no jobs"
    return `autostop ${version} at ${this.#url}: ${state}; up for ${span(this.#now(now) - Date.parse(startedAt))}`
  }

  /** Returns the number of jobs in each state, as text. */
  counts(): string {
    const counts = this.#state._tag === "Empty" ? undefined : this.#state.overview.counts
    return order.map((state) => `${whole(counts?.[state] ?? 0)} ${state}`).join(", ")
  }

  /** The jobs in the order in which they are listed. */
  get listed(): ReadonlyArray<JobInfo> {
    const byState = Map.groupBy(this.#jobs.values(), ({ state }) => state)
    return order.flatMap((state) => byState.get(state) ?? [])
  }

  /** The counters of a job. */
  stages(id: string): ReadonlyArray<StageReport> {
    return this.#stages.get(id) ?? []
  }

  /** Returns the time of the manager, in milliseconds since 1970. */
  managerTime(now: number): number {
    return this.#now(now)
  }

  /** Returns the lines of the whole board: those around the selected job, if there are more than `rows`. */
  lines(now: number, { rows, selected }: { readonly rows: number; readonly selected: string | undefined }) {
    const jobs = this.listed
    const shortId = shortIds(jobs)
    const lines = table([
      ["", "ID", "JOB", "STATE", "FOR", ""],
      ...jobs.map((info) => [
        info.id === selected ? ">" : "",
        shortId(info.id),
        info.job,
        info.state,
        this.age(info, now),
        this.#detail(info, now)
      ])
    ])
    const above = [this.head(now), this.counts(), "", ...lines.slice(0, 1)]
    const room = Math.max(1, rows - above.length)
    const at = jobs.findIndex(({ id }) => id === selected) + 1
    const first = Math.max(1, Math.min(at - Math.floor(room / 2), lines.length - room))
    return [...above, ...lines.slice(first, first + room)]
  }

  /** Returns the line about one job. */
  jobLine(info: JobInfo, now: number): string {
    return [info.id, info.job, info.state, `for ${this.age(info, now)}`, ending(info)].join("  ").trimEnd()
  }

  /** Returns the time that a job has run, or has waited to run, as text. */
  age({ startedAt, stoppedAt, submittedAt }: JobInfo, now: number): string {
    const end = stoppedAt === undefined ? this.#now(now) : Date.parse(stoppedAt)
    return span(end - Date.parse(startedAt ?? submittedAt))
  }

  #detail(info: JobInfo, now: number): string {
    const stages = this.#stages.get(info.id) ?? []
    if (info.state === "stopped" || info.state === "stopping") return ending(info)
    if (info.restartsAt !== undefined) return `begins again in ${span(Date.parse(info.restartsAt) - this.#now(now))}`
    const rates = this.#rates.get(info.id) ?? new Rates(ratesMs)
    this.#rates.set(info.id, rates)
    return inFlowOrder(stages).map(({ count, kind, name }) =>
      `${name} ${whole(count)} (${whole(rates.rate(`${kind} ${name}`, count, now))}/s)`
    ).join("  ")
  }

  #become(state: State.BoardState): boolean {
    const hasChanged = state !== this.#state
    this.#state = state
    return hasChanged
  }

  #now(now: number): number {
    return now + this.#aheadMs
  }

  /** Returns true if the state of the job has changed. */
  #put(info: JobInfo): boolean {
    const before = this.#jobs.get(info.id)
    if (info.state === "stopped") {
      const stopped = [...this.#jobs.values()].filter(({ id, state }) => state === "stopped" && id !== info.id)
      for (const { id } of stopped.slice(0, 1 - kept)) this.#forget(id)
      // the job that stopped last comes last
      this.#forget(info.id)
    }
    this.#jobs.set(info.id, info)
    return before?.state !== info.state
  }

  #forget(id: string): void {
    this.#jobs.delete(id)
    this.#stages.delete(id)
    this.#rates.delete(id)
  }
}

/** Returns why a job stops, or how it has stopped, as text. */
export const ending = ({ clean, outcome, reason, trigger }: JobInfo): string =>
  [
    ...(outcome === undefined ? [] : [`${outcome}, ${cleanness(clean === true)}`]),
    ...(trigger === undefined || trigger === "completed"
      ? []
      : [reason === undefined ? trigger : `${trigger}: ${reason}`])
  ].join("; ")
