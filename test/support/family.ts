/** Trees of real processes, each a shell that starts the others and becomes a `sleep`, or ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readProcess } from "../../src/process/processTable.ts"

/** A process of a family. */
export interface Relative {
  /** How its parent starts it: as a child, in a session of its own, or by a shell between them that ends at once. */
  readonly way: "child" | "session" | "orphan"
  /** It ignores SIGTERM, and so do its children. */
  readonly deaf: boolean
  /** It ends once it has started its children. */
  readonly mortal: boolean
  /** It is started without the environment of its parent. */
  readonly bare?: boolean
  /** It is to outlive its owner. */
  readonly free?: boolean
  /** The job kills it once all of them run. */
  readonly killed?: boolean
  readonly children: ReadonlyArray<Relative>
}

/** The first of a tree, which the job itself starts. */
export interface Root extends Relative {
  readonly by: "spawn" | "detached" | "effect"
  readonly killed: boolean
}

export const relative = (with_: Partial<Relative> = {}): Relative => ({
  way: "child",
  deaf: false,
  mortal: false,
  children: [],
  ...with_
})

export const root = (with_: Partial<Root> = {}): Root => ({ ...relative(), by: "spawn", killed: false, ...with_ })

/** What a job needs to start a family: the value of `FAMILY`, as JSON. */
export interface Orders {
  readonly journal: string
  readonly count: number
  readonly roots: ReadonlyArray<
    Pick<Root, "by" | "killed"> & { readonly bare: boolean; readonly free: boolean; readonly script: string }
  >
}

/** The families of one job, as scripts in a folder of their own. */
export class Families implements Disposable {
  readonly orders: Orders
  readonly #folder = mkdtempSync(join(tmpdir(), "autostop-family-"))
  readonly #relatives: Array<Relative> = []

  constructor(roots: ReadonlyArray<Root>) {
    const journal = join(this.#folder, "journal")
    writeFileSync(journal, "")
    const orders = roots.map((root) => {
      const { bare, by, free, killed } = root
      return { by, killed, bare: bare === true, free: free === true, script: this.#script(root, journal) }
    })
    this.orders = { journal, count: this.#relatives.length, roots: orders }
  }

  /** The variable that the job reads. */
  get env(): Record<string, string> {
    return { FAMILY: JSON.stringify(this.orders) }
  }

  /** The ids of those that are left behind: they neither end by themselves nor are killed nor meant to stay. */
  get left(): ReadonlyArray<number> {
    return this.#pids(({ free, killed, mortal }) => !mortal && killed !== true && free !== true)
  }

  /** The ids of those that are to outlive their owner. */
  get free(): ReadonlyArray<number> {
    return this.#pids(({ free }) => free === true)
  }

  [Symbol.dispose](): void {
    for (const pid of this.#pids(() => true)) {
      if (readFileOf(pid).includes("sleep\u00001000")) process.kill(pid, "SIGKILL")
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #pids(of: (relative: Relative) => boolean): ReadonlyArray<number> {
    const lines = readFileSync(this.orders.journal, "utf8").trim().split("\n")
    return lines.filter((line) => line !== "").flatMap((line) => {
      const [number, pid] = line.split(" ").map(Number)
      const relative = this.#relatives[number ?? -1]
      return relative !== undefined && pid !== undefined && of(relative) ? [pid] : []
    })
  }

  /** Writes the script of a relative, and those of its children. */
  #script(relative: Relative, journal: string): string {
    const number = this.#relatives.push(relative) - 1
    const file = join(this.#folder, `${number}.sh`)
    const start = (child: Relative): string => {
      const env = child.free === true ? "AUTOSTOP_OWNER=none " : child.bare === true ? "env -i PATH=\"$PATH\" " : ""
      const script = this.#script(child, journal)
      const command = `${env}${child.way === "session" ? "setsid " : ""}sh ${script}`
      return child.way === "orphan" ? `( ${command} & )` : `${command} &`
    }
    const lines = [
      ...(relative.deaf ? ["trap '' TERM"] : []),
      `echo "${number} $$" >> ${journal}`,
      ...relative.children.map(start),
      relative.mortal ? "exit 0" : "exec sleep 1000"
    ]
    writeFileSync(file, `${lines.join("\n")}\n`)
    return file
  }
}

const readFileOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8")
  } catch {
    return ""
  }
}

/** Returns true while a process runs. A zombie does not. */
export const runs = (pid: number): boolean => !["Z", "X", undefined].includes(readProcess(pid)?.state)
