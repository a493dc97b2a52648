/**
 * Makes the pictures of the page in `docs/pictures`: a manager runs jobs, one of which stops slowly, and Chromium looks at them.
 *
 * Usage: `node scripts/pictures.ts`, after a build; `AUTOSTOP_CHROMIUM` is the path of Chromium, if it is not in the `PATH`.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { startChromium } from "../test/page/browser/chromium.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const pictures = join(root, "docs/pictures")
const data = mkdtempSync(join(tmpdir(), "autostop-pictures-"))
mkdirSync(pictures, { recursive: true })

const options = ["--port", "0", "--open", "--spares", "0", "--concurrency", "4", "--data", data]
const jobs = ["--jobs", join(root, "test/page/browser/jobs/warehouse.ts")]
const args = [join(root, "dist/bin.js"), "serve", ...options, ...jobs]
const manager = spawn(
  process.execPath,
  args,
  { stdio: ["ignore", "pipe", "ignore"] }
)
let output = ""
manager.stdout.on("data", (chunk: Buffer) => output += chunk)
while (!/http:\/\/\S+:\d+/.test(output)) await once(manager.stdout, "data")
const url = /http:\/\/\S+:\d+/.exec(output)?.[0] ?? ""

const post = async (path: string, body: object): Promise<{ readonly id: string }> => {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  // safe: it is the manager's own answer
  return await answer.json() as { readonly id: string }
}
const submit = async (closesInMs: number): Promise<string> =>
  (await post("/jobs", { job: "warehouse", payload: { closesInMs } })).id

/** Waits until a job has printed that it is open. */
const opened = async (id: string): Promise<void> => {
  const abort = new AbortController()
  const { body } = await fetch(`${url}/jobs/${id}/logs?follow=true`, { signal: abort.signal })
  let log = ""
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    log += chunk
    if (log.includes("business")) break
  }
  abort.abort()
}

const stop = async (id: string, mode: string): Promise<void> => {
  await opened(id)
  await post(`/jobs/${id}/stop`, { mode })
}

const chromium = await startChromium()
try {
  const shoot = (page: Page, name: string) => page.screenshot({ path: join(pictures, `${name}.png`) })
  const pages = await Promise.all((["light", "dark"] as const).map(async (colorScheme) => {
    const context = await chromium.newContext({ colorScheme, viewport: { width: 1000, height: 560 } })
    return { colorScheme, page: await context.newPage() }
  }))
  for (const [closesInMs, mode] of [[1_800, "drain"], [100, "kill"], [400, "cancel"]] as const) {
    const id = await submit(closesInMs)
    await stop(id, mode)
    await (await fetch(`${url}/jobs/${id}/events?follow=true`)).text()
  }
  const watched = await submit(60_000)
  await opened(watched)
  for (let index = 0; index < 5; index++) await submit(100)
  const [light] = pages
  await light?.page.goto(`${url}/#/jobs/${watched}/graph`)
  await light?.page.getByRole("cell", { name: "Warehouse, Metrics" }).waitFor()
  await light?.page.getByText("/s").first().waitFor()
  await light?.page.waitForTimeout(2_000)
  if (light !== undefined) await shoot(light.page, "graph")
  for (const { page } of pages) await page.goto(`${url}/#/jobs/${watched}/stop`)
  await stop(watched, "drain")
  await Promise.all(pages.map(async ({ colorScheme, page }) => {
    await page.getByText(/Waiting for Warehouse, [23]\.\d of 5 s/).first().waitFor()
    await shoot(page, `stop-${colorScheme}`)
  }))
  await light?.page.goto(`${url}/#/`)
  await light?.page.getByText("stopping").nth(1).waitFor()
  await light?.page.getByText("unclean").nth(1).waitFor()
  if (light !== undefined) await shoot(light.page, "jobs")
} finally {
  await chromium.close()
  manager.kill("SIGKILL")
  await once(manager, "exit")
  rmSync(data, { recursive: true, force: true })
}
