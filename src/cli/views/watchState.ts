/** The screen of `autostop watch` as a state, and the keys that change it. */
import type { StopMode } from "../../JobEvent.ts"
import type { JobInfo } from "../../manager/models.ts"

export interface WatchState {
  /** The job that the keys are about; the first one that is listed if it is absent or gone. */
  readonly selected?: string
  /** True if the selected job fills the screen. */
  readonly isOpen: boolean
  /** True if whom the selected job waits for is shown beneath the list. */
  readonly areWaitsShown: boolean
  /** A stop that has to be confirmed. */
  readonly asked?: StopAction
  /** The outcome of the last action, as a sentence. */
  readonly said?: string
}

export interface StopAction {
  readonly id: string
  readonly mode: StopMode
}

export type WatchAction = { readonly _tag: "Quit" } | { readonly _tag: "Stop" } & StopAction

export const listShown: WatchState = { isOpen: false, areWaitsShown: false }

type Listed = Pick<JobInfo, "id" | "job" | "state">

/** Returns the job that the keys are about, of those that are listed. In place of one that fills the screen there is no other. */
export const selectedOf = <Job extends Listed>(
  { isOpen, selected }: WatchState,
  jobs: ReadonlyArray<Job>
): Job | undefined => jobs.find(({ id }) => id === selected) ?? (isOpen ? undefined : jobs[0])

/** Returns the state after a key, and what has to be done. `jobs` are those that are listed, in their order. */
export const pressed = (
  state: WatchState,
  key: string,
  jobs: ReadonlyArray<Listed>
): { readonly state: WatchState; readonly action?: WatchAction } => {
  const { asked, said: _, ...quiet } = state
  if (asked !== undefined) {
    return key === "y" || key === "Y"
      ? { state: quiet, action: { _tag: "Stop", ...asked } }
      : { state: { ...quiet, said: `The job was not asked to ${asked.mode}.` } }
  }
  if (key === "q") return { state: quiet, action: { _tag: "Quit" } }
  if (backKeys.has(key)) return { state: { ...quiet, isOpen: false } }
  const job = selectedOf(state, jobs)
  if (job === undefined) return { state: quiet }
  const step = steps.get(key)
  if (step !== undefined && !state.isOpen) {
    const at = jobs.indexOf(job) + step
    const { id } = jobs[Math.max(0, Math.min(jobs.length - 1, at))] ?? job
    return { state: { ...quiet, selected: id } }
  }
  if (key === "\r" || key === "\n") return { state: { ...quiet, selected: job.id, isOpen: true } }
  if (key === "w") return { state: { ...quiet, selected: job.id, areWaitsShown: !state.areWaitsShown } }
  const mode = modes.get(key)
  if (mode === undefined) return { state: quiet }
  return job.state === "stopped"
    ? { state: { ...quiet, said: `${job.job} has stopped already.` } }
    : { state: { ...quiet, selected: job.id, asked: { id: job.id, mode } } }
}

const backKeys = new Set(["\u001b", "\u007f", "\b"])

/** The keys that select another job, and how many lines it is away. */
const steps: ReadonlyMap<string, number> = new Map([
  ["\u001b[A", -1],
  ["\u001bOA", -1],
  ["k", -1],
  ["\u001b[B", 1],
  ["\u001bOB", 1],
  ["j", 1],
  ["\u001b[5~", -10],
  ["\u001b[6~", 10]
])

const modes: ReadonlyMap<string, StopMode> = new Map([["d", "drain"], ["c", "cancel"], ["x", "kill"]])

/** The last line of the screen: a question, what came of the last action, or what the keys do. */
export const footLine = ({ asked, isOpen, said }: WatchState, name: (id: string) => string): string => {
  if (asked !== undefined) {
    const { id, mode } = asked
    return `${mode} ${name(id)}? It ${meanings[mode]}. y: yes, any other key: no`
  }
  if (said !== undefined) return said
  return isOpen
    ? "Esc back  d drain  c cancel  x kill  q quit"
    : "↑ ↓ select  Enter open  w who is waited for  d drain  c cancel  x kill  q quit"
}

const meanings: Readonly<Record<StopMode, string>> = {
  drain: "completes what was taken in, and then releases the services",
  cancel: "interrupts the run, and then releases the services",
  kill: "gives the release no time, so that services may leave something behind"
}
