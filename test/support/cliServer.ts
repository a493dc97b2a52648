import { assert } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { StopReport } from "../../src/index.ts"
import { JobInfo } from "../../src/manager/models.ts"
import { bin, Started } from "./cli.ts"

const greet = fileURLToPath(new URL("../manager/fixtures/greet.ts", import.meta.url))

/** A job manager of the built command line, in a folder of its own, that can be started again after its end. */
export class Server implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "autostop-serve-"))
  readonly args: ReadonlyArray<string>
  readonly env: Record<string, string>
  server: Started
  url = ""

  private constructor(args: ReadonlyArray<string>, env: Record<string, string>) {
    this.args = args
    this.env = env
    this.server = this.#start()
  }

  static async start(args: ReadonlyArray<string> = [], env: Record<string, string> = {}): Promise<Server> {
    const server = new Server(args, env)
    await server.#listening()
    return server
  }

  #start(): Started {
    return new Started([bin, "serve", "--port", "0", "--jobs", greet, "--data", this.folder, ...this.args], this.env)
  }

  async #listening(): Promise<void> {
    await this.server.said("listens on")
    this.url = /http:\/\/\S+/.exec(this.server.stdout)?.[0] ?? assert.fail(this.server.stdout)
  }

  async again(): Promise<void> {
    this.server = this.#start()
    await this.#listening()
  }

  /** Runs a command against it, to its end. */
  async run(command: string, ...args: ReadonlyArray<string>) {
    const started = new Started([bin, command, "--url", this.url, ...args], this.env)
    const code = await started.ended()
    return { code, stdout: started.stdout.trim(), stderr: started.stderr.trim() }
  }

  async submit(payload: object, ...args: ReadonlyArray<string>): Promise<string> {
    const { code, stderr, stdout } = await this.run("submit", "greet", "--payload", JSON.stringify(payload), ...args)
    assert.strictEqual(code, 0, stderr)
    return stdout
  }

  async info(id: string): Promise<JobInfo> {
    const { stdout } = await this.run("status", id, "--format", "json")
    return Schema.decodeUnknownSync(JobInfo)(JSON.parse(stdout))
  }

  async report(id: string): Promise<StopReport> {
    const { stdout } = await this.run("report", id, "--format", "json")
    return Schema.decodeUnknownSync(StopReport)(JSON.parse(stdout))
  }

  /** Waits until it has printed something: its log is followed. */
  async logged(id: string, text: string): Promise<void> {
    const logs = new Started([bin, "logs", "-f", id, "--url", this.url], this.env)
    await logs.said(text)
    logs.signal("SIGKILL")
    await logs.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.signal("SIGKILL")
    await this.server.ended()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
