import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import * as http from "node:http"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { isGroupAlive, signal, until } from "../../src/process/processGroup.ts"
import { freePorts } from "../freePorts.ts"

/** One node of a cluster: the processes of one `ray start`, which are a process group. */
export class RayNode {
  readonly folder: string
  readonly #child: ChildProcess

  constructor(folder: string, child: ChildProcess) {
    this.folder = folder
    this.#child = child
  }

  get group(): number {
    return this.#child.pid ?? 0
  }

  /** What it has printed. */
  get output(): string {
    return readFileSync(join(this.folder, "output"), "utf8")
  }

  /** Ends it: as `ray stop` would, or as a machine that vanishes. */
  async stop(how: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.group === 0) return
    signal(-this.group, how)
    await until(() => !isGroupAlive(this.group), 10_000)
    signal(-this.group, "SIGKILL")
    await until(() => !isGroupAlive(this.group), 10_000)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface ClusterOptions {
  /** The programs of the virtual environment that it runs in. */
  readonly bin: string
  /** Whether Ray has one there; it has by default. */
  readonly hasDashboard?: boolean
  /** How many CPUs each node has; the first one is the head. */
  readonly cpus: ReadonlyArray<number>
}

/** A cluster of nodes on this machine, with a token of its own. */
export class Cluster {
  readonly nodes: Array<RayNode> = []
  readonly address: string
  readonly token = randomBytes(32).toString("hex")
  readonly #bin: string
  readonly #port: number

  private constructor(bin: string, port: number, dashboard: number) {
    this.#bin = bin
    this.#port = port
    this.address = `http://127.0.0.1:${dashboard}`
  }

  static async start({ bin, cpus: [first = 2, ...others], hasDashboard = true }: ClusterOptions): Promise<Cluster> {
    const [port = 0, dashboard = 0, client = 0] = await freePorts(3)
    const cluster = new Cluster(bin, port, dashboard)
    try {
      await cluster.#startHead(first, dashboard, client, hasDashboard)
      for (const cpus of others) await cluster.addNode(cpus)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** What a process needs to know to take part in the cluster. */
  get env(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^(RAY|AUTOSTOP)_/.test(name))
    return {
      ...Object.fromEntries(own),
      PATH: [this.#bin, dirname(process.execPath), process.env["PATH"]].join(":"),
      RAY_AUTH_MODE: "token",
      RAY_AUTH_TOKEN: this.token
    }
  }

  /** Where Ray itself, as opposed to its API, is found. */
  get gcs(): string {
    return /--address='([^']+)'/.exec(this.nodes[0]?.output ?? "")?.[1] ?? `127.0.0.1:${this.#port}`
  }

  async #startHead(cpus: number, dashboard: number, client: number, hasDashboard: boolean): Promise<void> {
    const head = await this.#ray([
      "--head",
      `--port=${this.#port}`,
      "--dashboard-host=127.0.0.1",
      `--dashboard-port=${dashboard}`,
      ...(hasDashboard ? ["--include-dashboard=true", `--ray-client-server-port=${client}`] : []),
      "--disable-usage-stats",
      ...sizes(cpus, 1)
    ])
    await this.#until(head, "it has started", async () => head.output.includes("Ray runtime started"))
    if (hasDashboard) {
      await this.#until(head, "its API answers", async () => (await this.ask("/api/version")) !== undefined)
    }
  }

  /** Adds a node. The first one is the head, and has the label `place` 1, the next one 2. */
  async addNode(cpus: number, resources: Readonly<Record<string, number>> = {}): Promise<RayNode> {
    const alive = await this.#alive()
    const node = await this.#ray([
      `--address=${this.gcs}`,
      `--resources=${JSON.stringify(resources)}`,
      ...sizes(cpus, this.nodes.length + 1)
    ])
    await this.#until(node, "it is one of the nodes", async () => (await this.#alive()) > alive)
    return node
  }

  /** Stops all that was started here. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.toReversed().map((node) => node.stop()))
  }

  /** The answer of its API, if there is one. */
  ask(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${this.token}` }
      http.get(`${this.address}${path}`, { headers }, (response) => {
        let text = ""
        response.on("data", (chunk: Buffer) => text += chunk)
        response.on("end", () => resolve(response.statusCode === 200 ? text : undefined))
      }).on("error", () => resolve(undefined))
    })
  }

  async #alive(): Promise<number> {
    const nodes = await this.ask("/api/v0/nodes?limit=100")
    return (nodes?.match(/"state": ?"ALIVE"/g) ?? []).length
  }

  async #ray(args: ReadonlyArray<string>): Promise<RayNode> {
    const [agent = 0] = await freePorts(1)
    // the paths of sockets in it must be short
    const folder = mkdtempSync(join(tmpdir(), "ray-"))
    const output = openSync(join(folder, "output"), "w")
    const all = ["start", "--block", `--dashboard-agent-listen-port=${agent}`, ...args]
    if (args.includes("--head")) all.push(`--temp-dir=${folder}`)
    const child = spawn(join(this.#bin, "ray"), all, {
      detached: true,
      stdio: ["ignore", output, output],
      env: this.env
    })
    const node = new RayNode(folder, child)
    this.nodes.push(node)
    return node
  }

  async #until(node: RayNode, what: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + startMs
    while (!(await isSo())) {
      if (performance.now() > end || !isGroupAlive(node.group)) {
        throw new Error(`not within ${startMs} ms: ${what}\n${node.output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

/** How long a node may take to start. */
const startMs = 120_000

const sizes = (cpus: number, place: number): ReadonlyArray<string> => [
  `--num-cpus=${cpus}`,
  "--memory=2000000000",
  "--object-store-memory=80000000",
  `--labels=place=${place}`,
  "--min-worker-port=0",
  "--max-worker-port=0"
]
