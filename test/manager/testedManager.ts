import { assert } from "@effect/vitest"
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath, pathToFileURL } from "node:url"
import { Server } from "../support/cliServer.ts"

export const fixture = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export interface Answer {
  readonly status: number
  readonly text: string
}

/** The statuses that an answer may have: no request of the model is wrong in itself, and no answer is a fault. */
const statuses = [200, 201, 204, 404, 409, 503]

/** A real manager, its store and its clock, all of which may be lost or moved. */
export class TestedManager implements AsyncDisposable {
  readonly server: Server
  readonly journal: string
  readonly #clock: string
  #store: "there" | "away" = "there"

  private constructor(server: Server, clock: string) {
    this.server = server
    this.#clock = clock
    this.journal = join(server.folder, "journal")
  }

  static async start(args: ReadonlyArray<string>): Promise<TestedManager> {
    const clock = mkdtempSync(join(tmpdir(), "autostop-clock-"))
    const preload = pathToFileURL(fixture("../support/shiftedClock.mjs"))
    preload.search = encodeURIComponent(join(clock, "shift"))
    return new TestedManager(await Server.start(args, { NODE_OPTIONS: `--import=${preload.href}` }), clock)
  }

  /** Sends a request. Returns nothing if it was not answered, because the manager is down. */
  async ask(method: string, path: string, body?: object): Promise<Answer | undefined> {
    const init = body === undefined
      ? { method }
      : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
    const answer = await this.server.fetch(path, init)
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined)
    // on a busy machine a request may arrive too slowly
    if (answer?.status === 408) return this.ask(method, path, body)
    if (answer !== undefined) assert.include(statuses, answer.status, `${method} ${path}: ${answer.text}`)
    return answer
  }

  moveClock(ms: number): void {
    writeFileSync(join(this.#clock, "shift"), String(ms))
  }

  takeStoreAway(): void {
    if (this.#store === "there") renameSync(this.#database, `${this.#database}.away`)
    this.#store = "away"
  }

  bringStoreBack(): void {
    if (this.#store === "away") renameSync(`${this.#database}.away`, this.#database)
    this.#store = "there"
  }

  /** Waits until it takes jobs. */
  async ready(): Promise<void> {
    while ((await this.ask("GET", "/health/ready"))?.status !== 204) await setTimeout(50)
  }

  /** Starts the next one. */
  async again(): Promise<void> {
    this.bringStoreBack()
    const { port } = new URL(this.server.url)
    await this.server.again(["--port", port])
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { server } = this.server
    server.signal(signal)
    assert.strictEqual(await server.ended(), signal === "SIGTERM" ? 143 : signal, server.stderr)
    assert.notMatch(server.stdout + server.stderr, /the job manager failed at a request|what became of job/)
  }

  /** The files that are left of jobs which had to be saved elsewhere. */
  get leftFiles(): ReadonlyArray<string> {
    return ["unsaved", "results"].flatMap((name) => {
      const folder = join(this.server.folder, name)
      return existsSync(folder) ? readdirSync(folder) : []
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    rmSync(this.#clock, { recursive: true, force: true })
  }

  get #database(): string {
    return join(this.server.folder, "jobs.db")
  }
}
