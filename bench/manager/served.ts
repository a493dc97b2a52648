import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Act } from "./jobs.ts"
import type { Usage } from "./usage.ts"

const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))
const jobs = fileURLToPath(new URL("./jobs.ts", import.meta.url))

/** What a process is started with that can be asked what it uses. */
export const measured = ["--import", new URL("./usage.ts", import.meta.url).href]

/** What a process uses that was started so. */
export const usageOf = async (child: ChildProcess): Promise<Usage> => {
  const answer = new Promise<Usage>((resolve) => {
    const onMessage = (message: object) => {
      if (!("usage" in message)) return
      child.off("message", onMessage)
      resolve(message.usage as Usage)
    }
    child.on("message", onMessage)
  })
  child.send("usage")
  return answer
}

/** An answer to its end, as it comes. */
export const read = async (url: string, onData = (_text: string) => {}): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of (await fetch(url)).body ?? []) {
    const piece = decoder.decode(chunk, { stream: true })
    onData(piece)
    text += piece
  }
  return text
}

export interface ServedOptions {
  /** A folder that is there, with the store of an earlier manager. */
  readonly folder?: string
  /** The URL of a store in PostgreSQL; by default it is a file in the folder. */
  readonly store?: string | undefined
}

/** A job manager of the built command line, in a folder of its own. */
export class Served {
  readonly folder: string
  readonly url: string
  readonly #child: ChildProcess

  private constructor(folder: string, url: string, child: ChildProcess) {
    this.folder = folder
    this.url = url
    this.#child = child
  }

  static async start(concurrency: number, { folder, store }: ServedOptions = {}): Promise<Served> {
    const data = folder ?? await mkdtemp(join(tmpdir(), "autostop-bench-"))
    const args = [
      "serve",
      "--open",
      "--port",
      "0",
      "--jobs",
      jobs,
      "--data",
      data,
      "--concurrency",
      String(concurrency),
      ...store === undefined ? [] : ["--store-file", await privateFile(data, store)]
    ]
    const child = spawn(process.execPath, [...measured, bin, ...args], { stdio: ["ignore", "pipe", "inherit", "ipc"] })
    let said = ""
    for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      said += String(chunk)
      if (said.includes("\n")) break
    }
    child.stdout?.resume()
    const url = /http:\S+/.exec(said)?.[0]
    if (url === undefined) throw new Error(`the manager did not start: ${said}`)
    return new Served(data, url, child)
  }

  async submit(id: string, act: Act): Promise<void> {
    await this.#post("/jobs", { id, job: "bench", payload: { act } })
  }

  async stop(id: string): Promise<void> {
    await this.#post(`/jobs/${id}/stop`, { mode: "kill" })
  }

  /** The address of what happens to a job, until it has stopped. */
  eventsOf(id: string): string {
    return `${this.url}/jobs/${id}/events?follow=true`
  }

  /** Whether a job has stopped clean. */
  async isClean(id: string): Promise<boolean> {
    return /"clean":true/.test(await read(`${this.url}/jobs/${id}/report`))
  }

  /** The processes of the jobs that run. */
  async pids(): Promise<ReadonlyArray<number>> {
    const jobs: ReadonlyArray<{ readonly pid?: number }> = JSON.parse(
      await read(`${this.url}/jobs?state=running&limit=1000`)
    )
    return jobs.flatMap(({ pid }) => pid ?? [])
  }

  get usage(): Promise<Usage> {
    return usageOf(this.#child)
  }

  /** The value of a metric. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    return Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (.*)$`, "m").exec(text)?.[1])
  }

  async close({ keep = false } = {}): Promise<void> {
    const closed = once(this.#child, "close")
    this.#child.kill("SIGTERM")
    await closed
    if (!keep) await rm(this.folder, { recursive: true })
  }

  async #post(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    if (!answer.ok) throw new Error(await answer.text())
    await answer.text()
  }
}

/** A URL with a password is given in a file, because others see the arguments of a process. */
const privateFile = async (folder: string, text: string): Promise<string> => {
  const file = join(folder, "store")
  await writeFile(file, text, { mode: 0o600 })
  return file
}
