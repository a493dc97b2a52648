import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { pipeline } from "node:stream"
import { Chromium } from "./opened.ts"
import { startManager, submitWarehouse } from "./warehouse.ts"

const operate = "a token that may operate"
const read = "a token that only reads"

/** A reverse proxy that has the manager beneath a path, and buffers nothing. */
const prefixProxy = async (target: string, prefix: string) => {
  const server = createServer((incoming, outgoing) => {
    const { url = "" } = incoming
    if (!url.startsWith(prefix)) return void outgoing.writeHead(404).end()
    const asked = request(`${target}/${url.slice(prefix.length)}`, {
      method: incoming.method,
      headers: incoming.headers,
      // a connection that is kept may be closed by the manager while a request is on its way
      agent: false
    })
    asked.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
      // an answer that is cut off is not left open
      pipeline(answer, outgoing, () => {})
    })
    asked.on("error", () => outgoing.destroy())
    outgoing.on("close", () => asked.destroy())
    incoming.pipe(asked)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // safe: it listens on a port
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}${prefix}`, server }
}

describe("access to the page", () => {
  it("asks for a token once the manager refuses, and again if it is wrong, and keeps it out of the address", async () => {
    await using server = await startManager([], { AUTOSTOP_TOKEN: operate })
    await using chromium = await Chromium.start()
    const page = await chromium.open(server.url)
    await page.getByText(/a bearer token is required/).waitFor()
    await page.getByLabel("Token", { exact: true }).fill("wrong")
    await page.keyboard.press("Enter")
    await page.getByText(/does not know this token/).waitFor()
    await page.getByLabel("Token", { exact: true }).fill(operate)
    await page.keyboard.press("Enter")
    await page.getByText("There are no jobs yet.").waitFor()
    assert.notInclude(page.url(), "token")
    assert.deepStrictEqual(await page.context().cookies(), [])
    await page.reload()
    await page.getByText("There are no jobs yet.").waitFor()
  })

  it("with a code needs no token, and takes the code out of the address", async () => {
    await using server = await startManager([], { AUTOSTOP_TOKEN: operate })
    await using chromium = await Chromium.start()
    const { code }: { readonly code?: string } = JSON.parse(await server.post("/session/codes", {}))
    const page = await chromium.open(server.url, { path: `/#code=${code}&to=/manager` })
    await page.getByRole("heading", { name: "Manager" }).waitFor()
    await page.getByText("yes; its store can be written").waitFor()
    assert.match(page.url(), /#\/manager$/)
  })

  it("needs no token where the manager is open", async () => {
    await using server = await startManager(["--open"])
    await using chromium = await Chromium.start()
    const page = await chromium.open(server.url)
    await page.getByText("There are no jobs yet.").waitFor()
  })

  it("with a token that only reads shows everything, and offers no action", async () => {
    await using server = await startManager([], { AUTOSTOP_TOKEN: operate, AUTOSTOP_READ_TOKEN: read })
    await using chromium = await Chromium.start()
    const id = await submitWarehouse(server)
    const page = await chromium.open(server.url, { token: read, path: `/#/jobs/${id}` })
    await page.getByText("run started").waitFor()
    await page.getByText(/Your token has the role “read”/).first().waitFor()
    for (const name of ["drain", "cancel", "kill"]) assert.isTrue(await page.getByRole("button", { name }).isDisabled())
    await page.getByRole("link", { name: "Submit" }).click()
    assert.isTrue(await page.getByRole("button", { name: "Submit" }).isDisabled())
  })

  it("works beneath the path of a reverse proxy", async () => {
    await using server = await startManager([], { AUTOSTOP_TOKEN: operate })
    await using chromium = await Chromium.start()
    const proxy = await prefixProxy(server.url, "/jobs/of/ours/")
    try {
      const id = await submitWarehouse(server)
      const page = await chromium.open(proxy.url, { token: operate, path: `#/jobs/${id}/graph` })
      await page.getByRole("cell", { name: "Warehouse, Metrics" }).waitFor()
      await page.getByRole("button", { name: "cancel" }).click()
      await page.getByRole("dialog").getByRole("button", { name: "cancel" }).click()
      await page.getByText("cancelled").first().waitFor()
    } finally {
      proxy.server.closeAllConnections()
      proxy.server.close()
    }
  })

  it("of another version than the manager's says so and loads again, once", async () => {
    await using server = await startManager(["--open"])
    await using chromium = await Chromium.start()
    const page = await chromium.open("about:blank", { path: "" })
    let loads = 0
    page.on("load", () => loads++)
    await page.route("**/feed", async (route) => {
      const at = new Date().toISOString()
      const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 }
      const overview = { _tag: "Overview", version: "99.0.0", at, startedAt: at, ready: true, counts, jobs: [] }
      await route.fulfill({
        contentType: "text/event-stream",
        body: `event: message\ndata: ${JSON.stringify(overview)}\n\n`
      })
    })
    await page.goto(server.url)
    const reloaded = page.waitForEvent("load")
    await page.getByText(/The manager has version 99.0.0, and this page is of version/).waitFor()
    await reloaded
    // the feed ends and begins again several times, and the page is not loaded for it
    for (let requests = 0; requests < 4; requests++) await page.waitForRequest("**/feed")
    await page.getByRole("button", { name: "Load now" }).waitFor()
    assert.strictEqual(loads, 2)
  })
})
