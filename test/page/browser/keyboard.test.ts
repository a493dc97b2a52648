import { assert, describe, it } from "@effect/vitest"
import { Chromium } from "./opened.ts"
import { startManager, submitWarehouse } from "./warehouse.ts"

describe("the page by keyboard alone", () => {
  it("finds a job, opens it, stops it and watches that", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const id = await submitWarehouse(server, { closesInMs: 3_000 })
    const page = await chromium.open(server.url, { token: server.token })
    await page.getByRole("link", { name: "warehouse" }).waitFor()

    const { keyboard } = page
    const focused = () =>
      page.evaluate<string>("document.activeElement?.textContent || document.activeElement?.role || ''")
    /** Presses Tab until something of this text has the focus. */
    const tabTo = async (text: RegExp) => {
      for (let presses = 0; presses < 60; presses++) {
        await keyboard.press("Tab")
        if (text.test(await focused())) return
      }
      assert.fail(`Tab does not reach ${text}`)
    }
    await tabTo(/StateName/)
    await keyboard.press("ArrowDown")
    await keyboard.press("Space")
    await page.getByText("1 selected").waitFor()
    await keyboard.press("Enter")
    await page.getByText("run started").waitFor()
    assert.include(page.url(), id)
    await tabTo(/^drain$/)
    await keyboard.press("Enter")
    await page.getByRole("dialog").waitFor()
    await keyboard.type("by keyboard")
    await keyboard.press("Enter")
    await page.getByText("Stopping (stopped, drain): by keyboard").waitFor()
    await page.getByText(/^Waiting for Warehouse/).first().waitFor()
    await page.getByRole("heading", { name: "Report: succeeded, clean" }).waitFor()
  })
})
