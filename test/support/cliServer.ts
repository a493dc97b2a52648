import { assert } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { StopReport } from "../../src/index.ts"
import { JobInfo } from "../../src/manager/models.ts"
import { bin, Started } from "./cli.ts"

const greet = fileURLToPath(new URL("../manager/fixtures/greet.ts", import.meta.url))

/** The folder of a manager, and the command before its own. */
export interface ServerPlace {
  readonly folder: string
  readonly via: ReadonlyArray<string>
}

/**
 * A job manager of the built command line, in a folder of its own, that can be started again after its end. What is not about
 * a command is asked over HTTP, because each command is a process that takes long to start.
 */
export class Server implements AsyncDisposable {
  readonly folder: string
  readonly args: ReadonlyArray<string>
  readonly env: Record<string, string>
  readonly #via: ReadonlyArray<string>
  server: Started
  url = ""
  /** The token that it was given, or that it has made; empty if it is open. */
  token = ""

  private constructor(args: ReadonlyArray<string>, env: Record<string, string>, { folder, via }: ServerPlace) {
    this.args = args
    this.env = env
    this.folder = folder
    this.#via = via
    this.server = this.#start()
  }

  static async start(
    args: ReadonlyArray<string> = [],
    env: Record<string, string> = {},
    place: ServerPlace = { folder: mkdtempSync(join(tmpdir(), "autostop-serve-")), via: [] }
  ): Promise<Server> {
    const server = new Server(args, env, place)
    await server.#listening()
    return server
  }

  #start(args: ReadonlyArray<string> = ["--port", "0"]): Started {
    // a spare takes a second of the processor, and few of these managers have many jobs
    const spares = this.args.includes("--spares") ? [] : ["--spares", "0"]
    return new Started(
      [bin, "serve", ...args, ...spares, "--jobs", greet, "--data", this.folder, ...this.args],
      this.env,
      this.#via
    )
  }

  async #listening(): Promise<void> {
    await this.server.said("listens on")
    this.url = /http:\/\/\S+/.exec(this.server.stdout)?.[0] ?? assert.fail(this.server.stdout)
    const made = join(this.folder, "local.token")
    this.token = (this.env["AUTOSTOP_TOKEN"] ?? (existsSync(made) ? readFileSync(made, "utf8") : "")).trim()
  }

  async again(args?: ReadonlyArray<string>): Promise<void> {
    this.server = this.#start(args)
    await this.#listening()
  }

  /** Runs a command against it, to its end. */
  async run(command: string, ...args: ReadonlyArray<string>) {
    const started = new Started([bin, command, "--url", this.url, ...args], this.env)
    const code = await started.ended()
    return { code, stdout: started.stdout.trim(), stderr: started.stderr.trim() }
  }

  /** Submits the job `greet` with the command, and returns its id. */
  async submit(payload: object, ...args: ReadonlyArray<string>): Promise<string> {
    const { code, stderr, stdout } = await this.run("submit", "greet", "--payload", JSON.stringify(payload), ...args)
    assert.strictEqual(code, 0, stderr)
    return stdout
  }

  /** Sends a request with the token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.token}`, ...init.headers }
    })
  }

  /** Sends a request, and returns the answer's text. */
  async ask(path: string, init: RequestInit = {}): Promise<string> {
    const response = await this.fetch(path, init)
    const text = await response.text()
    // on a busy machine a request may arrive too slowly
    if (response.status === 408) return this.ask(path, init)
    assert.isTrue(response.ok, `${path}: ${response.status} ${text}`)
    return text
  }

  /** Sends JSON, and returns the answer's text. */
  post(path: string, body: object): Promise<string> {
    return this.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  }

  async info(id: string): Promise<JobInfo> {
    return Schema.decodeUnknownSync(JobInfo)(JSON.parse(await this.ask(`/jobs/${id}`)))
  }

  async report(id: string): Promise<StopReport> {
    return Schema.decodeUnknownSync(StopReport)(JSON.parse(await this.ask(`/jobs/${id}/report`)))
  }

  /** Waits until a job has stopped. */
  async stopped(id: string): Promise<void> {
    await this.ask(`/jobs/${id}/events?follow=true`)
  }

  /** Waits until a job has printed something. */
  async logged(id: string, text: string): Promise<void> {
    const abort = new AbortController()
    const { body } = await this.fetch(`/jobs/${id}/logs?follow=true`, { signal: abort.signal })
    let log = ""
    for await (const chunk of (body ?? assert.fail("there is no log")).pipeThrough(new TextDecoderStream())) {
      log += chunk
      if (!log.includes(text)) continue
      abort.abort()
      return
    }
    assert.fail(`the job ended without "${text}": ${log}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.signal("SIGKILL")
    await this.server.ended()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
