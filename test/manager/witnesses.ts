/** What job processes write down about themselves, each in lines of one file. */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { isLiving, readProcess } from "../../src/process/processTable.ts"

export interface Witness {
  /** A process of a job, or one that it has started; or a fault that a job has seen when it began. */
  readonly kind: "job" | "child" | "twice" | "crowded"
  readonly id: string
  readonly pid: number
  /** The time at which the process began: its id may be given to another one. */
  readonly start: number
}

export const note = (journal: string, witness: Omit<Witness, "start">): void => {
  const start = readProcess(witness.pid)?.start ?? 0
  appendFileSync(journal, `${JSON.stringify({ ...witness, start })}\n`)
}

export const readWitnesses = (journal: string): ReadonlyArray<Witness> =>
  existsSync(journal)
    ? readFileSync(journal, "utf8").split("\n").filter((line) => line !== "").map((line): Witness => JSON.parse(line))
    : []

/** Returns the jobs and children whose processes have not ended. */
export const stillRunning = (journal: string): ReadonlyArray<Witness> =>
  readWitnesses(journal).filter(({ kind }) => kind === "job" || kind === "child").filter(isRunning)

export const isRunning = ({ pid, start }: Witness): boolean => {
  const now = readProcess(pid)
  return isLiving(now) && now.start === start
}
