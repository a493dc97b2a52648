import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "../freePorts.ts"

const source = fileURLToPath(new URL("./collector", import.meta.url))
const folder = fileURLToPath(new URL("../../.otel", import.meta.url))

/** The program of the collector, which Go builds of its modules where there is none. */
const program = async (): Promise<string> => {
  const built = join(folder, "collector")
  if (existsSync(built)) return built
  console.log(`building ${built}, which takes minutes`)
  mkdirSync(folder, { recursive: true })
  for (const name of ["main.go", "go.mod", "go.sum"]) copyFileSync(join(source, name), join(folder, name))
  const [code] = await once(spawn("go", ["build", "-o", built, "."], { cwd: folder, stdio: "inherit" }), "exit")
  if (code !== 0) throw new Error(`"go build" ended with ${code}`)
  return built
}

/** A collector of OpenTelemetry on this machine, which writes what it receives to a file. */
export class Collector {
  readonly url: string
  /** The file: a line of JSON for each batch that it has received. */
  readonly file: string
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url
    this.file = join(folder, "received.json")
    this.#folder = folder
    this.#child = child
  }

  /** Starts one, and waits until it receives. */
  static async start(): Promise<Collector> {
    const command = await program()
    const folder = mkdtempSync(join(tmpdir(), "autostop-otel-"))
    const endpoint = `127.0.0.1:${await freePort()}`
    const config = join(folder, "config.yaml")
    writeFileSync(config, configOf(endpoint, join(folder, "received.json")))
    const child = spawn(command, ["--config", `file:${config}`], { stdio: ["ignore", "inherit", "pipe"] })
    await said(child, "Everything is ready")
    return new Collector(`http://${endpoint}`, folder, child)
  }

  /** Ends it, once it has written all that it has received. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill("SIGTERM")
    await once(this.#child, "exit")
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Its configuration: JSON is YAML. */
const configOf = (endpoint: string, path: string): string => {
  const pipeline = { receivers: ["otlp"], exporters: ["file"] }
  return JSON.stringify({
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { file: { path } },
    service: {
      telemetry: { metrics: { level: "none" } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline }
    }
  })
}

/** Waits until a program has said something on stderr. */
const said = (child: ChildProcess, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let all = ""
    child.stderr?.on("data", (chunk: Buffer) => {
      all += chunk
      if (all.includes(text)) resolve()
    })
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`the collector ended with ${code}:\n${all}`)))
  })
