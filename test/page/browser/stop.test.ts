import { assert, describe, it } from "@effect/vitest"
import { Chromium } from "./opened.ts"
import { startManager, submitWarehouse } from "./warehouse.ts"

describe("a stop on the page", () => {
  it("opens by itself, says who is waited for and whom that holds up, and ends with the report beside the last one", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const first = await submitWarehouse(server)
    await server.post(`/jobs/${first}/stop`, {})
    await server.stopped(first)

    // a busy machine has time to see the release before it has passed its limit
    const stopPolicy = { releaseTimeout: "20 seconds", deadline: "40 seconds" }
    const id = await submitWarehouse(server, { closesInMs: 600_000 }, stopPolicy)
    const page = await chromium.open(server.url, { token: server.token, path: `/#/jobs/${id}` })
    await page.getByRole("heading", { name: "warehouse" }).waitFor()
    await page.getByRole("button", { name: "drain" }).click()
    await page.getByText("It has 5 services to release").waitFor()
    await page.getByLabel("Reason").fill("<i>enough</i>")
    await page.getByRole("dialog").getByRole("button", { name: "drain" }).click()

    await page.getByText(/^Waiting for Warehouse, .* of 20 s; holds up Db, Config$/).first().waitFor()
    assert.match(page.url(), /\/stop$/)
    await page.getByText("Stopping (stopped, drain): <i>enough</i>").waitFor()
    await page.getByRole("dialog").waitFor({ state: "detached" })
    // only harsher modes are left, at hand
    await page.getByRole("button", { name: "drain", exact: true }).waitFor({ state: "detached" })
    await page.getByRole("button", { name: "cancel", exact: true }).waitFor()
    // what is drawn is told as text, too
    const row = page.getByRole("row", { name: /^Warehouse/ })
    await row.getByText("releasing").waitFor()
    await row.getByText("released, 1").waitFor()

    await page.getByRole("heading", { name: "Report: succeeded, NOT CLEAN" }).waitFor()
    await row.getByText("abandoned").waitFor()
    await page.getByRole("row", { name: /^Services released 4 of 5 5 of 5/ }).waitFor()
    assert.strictEqual(await page.locator("svg .service.abandoned .tick").count(), 1)

    await page.getByRole("link", { name: "Logs" }).click()
    await page.getByText("Warehouse has passed its limit").waitFor()
    await page.getByText("<b>business</b>").waitFor()
  })

  it("is killed only by who types its name", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const id = await submitWarehouse(server)
    const page = await chromium.open(server.url, { token: server.token, path: `/#/jobs/${id}` })
    await page.getByRole("button", { name: "kill" }).click()
    const dialog = page.getByRole("dialog")
    const kill = dialog.getByRole("button", { name: "kill" })
    assert.isTrue(await kill.isDisabled())
    await dialog.getByLabel(/^Type the name/).fill("warehous")
    assert.isTrue(await kill.isDisabled())
    await dialog.getByLabel(/^Type the name/).fill("warehouse")
    await kill.click()
    await page.getByRole("heading", { name: /^Report: / }).waitFor()
    assert.strictEqual((await server.info(id)).state, "stopped")
  })
})
