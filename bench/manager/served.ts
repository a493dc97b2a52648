import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))
const jobs = fileURLToPath(new URL("./jobs.ts", import.meta.url))

/** An answer to its end, as it comes. */
export const read = async (url: string, onData = () => {}): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of (await fetch(url)).body ?? []) {
    onData()
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

/** A job manager of the built command line, in a folder of its own. */
export class Served {
  readonly folder: string
  readonly url: string
  readonly #stop: () => Promise<unknown>

  private constructor(folder: string, url: string, stop: () => Promise<unknown>) {
    this.folder = folder
    this.url = url
    this.#stop = stop
  }

  static async start(concurrency: number, folder?: string): Promise<Served> {
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
      String(concurrency)
    ]
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    let said = ""
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      said += String(chunk)
      if (said.includes("\n")) break
    }
    child.stdout.resume()
    const url = /http:\S+/.exec(said)?.[0]
    if (url === undefined) throw new Error(`the manager did not start: ${said}`)
    return new Served(data, url, async () => {
      const closed = once(child, "close")
      child.kill("SIGTERM")
      await closed
    })
  }

  async submit(id: string, act: "end" | "wait" | "tell"): Promise<void> {
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

  /** The value of a metric. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    return Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (.*)$`, "m").exec(text)?.[1])
  }

  async close({ keep = false } = {}): Promise<void> {
    await this.#stop()
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
