/** A service that fails as a test plans. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Host } from "../../../src/index.ts"

/** How the service beneath the handlers behaves. */
export interface Plan {
  /** A file that gets a line for each thing that happens: its name, and the id of the process. */
  readonly journal?: string
  /** `second`: only the first host starts. */
  readonly start?: "fails" | "hangs" | "spins" | "ends" | "second"
  /** `once`: the first release ends its host, the others take half a second. */
  readonly release?: "fails" | "hangs" | "spins" | "ends" | "once"
  /** It starts a process: a child of its own, or an orphan of a child that has ended. */
  readonly child?: "own" | "orphan"
  /** The line that it prints to stderr as it starts. */
  readonly says?: string
  /** It ignores SIGTERM. */
  readonly stubborn?: boolean
  /** Its host ends so many milliseconds after its start. */
  readonly lifeMs?: number
}

const group = RpcGroup.make(
  /** Which host this is. */
  Rpc.make("who", { success: Schema.String }).pipe(Host.idempotent),
  Rpc.make("pid", { success: Schema.Int }),
  Rpc.make("hang"),
  /** Takes a while to end when it is interrupted. */
  Rpc.make("linger"),
  /** The first call is never answered, any other one is. */
  Rpc.make("hangOnce", { success: Schema.String }).pipe(Host.idempotent),
  /** Waits until so many calls hang. */
  Rpc.make("hanging", { payload: { calls: Schema.Int } }),
  Rpc.make("slow", { payload: { ms: Schema.Int } }),
  /** Three elements, and no end. */
  Rpc.make("three", { success: Schema.Int, stream: true }),
  Rpc.make("spin"),
  /** Ends its host without a cleanup. */
  Rpc.make("end"),
  Rpc.make("exit", { payload: { code: Schema.Int } }),
  /** Throws an error that nothing catches. */
  Rpc.make("crash"),
  Rpc.make("big", { payload: { bytes: Schema.Int }, success: Schema.Uint8Array }),
  Rpc.make("print", { payload: { lines: Schema.Int }, success: Schema.Int }),
  /** Makes the service beneath the handlers die. */
  Rpc.make("breakPump")
)

export class Frail extends Host.Service<Frail>()("test/Frail", {
  group,
  module: new URL("./frail.host.ts", import.meta.url)
}) {}

/** The same service with a plan. */
export const frail = (plan: Plan, module = "./frail.host.ts", version?: string) =>
  Host.Service<Frail>()("test/Frail", {
    group,
    module: new URL(`${module}?${encodeURIComponent(JSON.stringify(plan))}`, import.meta.url),
    version
  })

/** The plan that a module was loaded with. */
export const planOf = (url: string): Plan => {
  const { search } = new URL(url)
  return search === "" ? {} : JSON.parse(decodeURIComponent(search.slice(1)))
}

/** The file in which hosts, each in its own process, write what happens. */
export class HostJournal implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "autostop-"))
  readonly file = join(this.#directory, "journal")

  static write(file: string | undefined, what: string, pid = process.pid): void {
    if (file !== undefined) appendFileSync(file, `${what} ${pid}\n`)
  }

  /** The processes in which something has happened, in order. */
  readonly pids = (what: string): ReadonlyArray<number> => {
    if (!existsSync(this.file)) return []
    return readFileSync(this.file, "utf8").split("\n").flatMap((line) => {
      const [happened, pid] = line.split(" ")
      return happened === what ? [Number(pid)] : []
    })
  }

  /** Everything that has happened, in order. */
  get happened(): ReadonlyArray<string> {
    return readFileSync(this.file, "utf8").trim().split("\n").map((line) => line.split(" ")[0] ?? "")
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
