import { assert, describe, it } from "@effect/vitest"
import { Chromium } from "./opened.ts"
import { startManager, submitWarehouse } from "./warehouse.ts"

describe("the feed of a page", () => {
  it("that is cut says since when, and goes on where it was once the manager is back", async () => {
    await using server = await startManager([], { AUTOSTOP_TOKEN: "a token for the tests of the page" })
    await using chromium = await Chromium.start()
    const id = await submitWarehouse(server)
    const page = await chromium.open(server.url, { token: server.token, path: `/#/jobs/${id}` })
    await page.getByText("run started").waitFor()

    server.server.signal("SIGKILL")
    await server.server.ended()
    await page.getByText(/^Cut off since \d\d:\d\d:\d\d: .+the page tries again/).waitFor()
    // what was known is still shown
    await page.getByText("run started").waitFor()

    await server.again(["--port", new URL(server.url).port])
    await page.getByText("Cut off since").waitFor({ state: "detached" })
    await page.getByRole("link", { name: "Job", exact: true }).click()
    await page.getByText("lost").first().waitFor()
    // nothing is there twice
    assert.strictEqual(await page.getByText("run started").count(), 1)
  })

  it("is one connection for each tab, so that three tabs follow a job at once", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const id = await submitWarehouse(server)
    const first = await chromium.open(server.url, { token: server.token, path: `/#/jobs/${id}/logs` })
    const others = await Promise.all([0, 1, 2].map(async () => {
      const page = await first.context().newPage()
      await page.addInitScript(`sessionStorage.setItem("autostop-token", ${JSON.stringify(server.token)})`)
      await page.goto(`${server.url}/#/jobs/${id}/logs`)
      return page
    }))
    const pages = [first, ...others]
    for (const page of pages) await page.getByText("business").waitFor()
    // an action needs a connection beside the feeds
    await others[0]?.getByRole("button", { name: "drain" }).click()
    await others[0]?.getByRole("dialog").getByRole("button", { name: "drain" }).click()
    for (const page of pages) await page.getByText("closing Config").waitFor()
  })
})
