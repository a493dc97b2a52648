import { assert, describe, it } from "@effect/vitest"
import { Chromium } from "./opened.ts"
import { startManager } from "./warehouse.ts"

describe("a submit on the page", () => {
  it("is a form of the job's Schema, and shows a refusal at the field that it is about", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const page = await chromium.open(server.url, { token: server.token, path: "/#/submit" })
    await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("warehouse")
    await page.getByLabel("closesInMs").fill("-5")
    await page.getByLabel("give tags").check()
    await page.getByRole("button", { name: "Add to tags" }).click()
    await page.getByLabel("tags 1").fill("a <b>tag</b>")
    await page.getByLabel("give size").check()
    await page.getByRole("combobox", { name: "size", exact: true }).selectOption("large")
    await page.getByRole("button", { name: "Submit" }).click()
    await page.locator(".field", { has: page.getByLabel("closesInMs") }).locator(".fault").waitFor()

    await page.getByLabel("closesInMs").fill("50")
    await page.getByText("Stop policy").click()
    await page.getByLabel("Deadline").fill("7 seconds")
    await page.getByRole("button", { name: "Submit" }).click()
    await page.getByText("run started").waitFor()
    const id = /jobs\/([^/]+)/.exec(page.url())?.[1] ?? assert.fail(page.url())

    await page.getByRole("button", { name: "cancel" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "cancel" }).click()
    await page.getByText(/Stopped \(stopped, cancel\); .* of 7 s/).waitFor()
    await page.getByRole("button", { name: "Run again with this payload" }).click()
    await page.waitForURL((url) => !url.hash.includes(id) && url.hash.startsWith("#/jobs/"))
    await page.getByText("run started").waitFor()
  })

  it("takes JSON where there is no form, and says what is no JSON", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const page = await chromium.open(server.url, { token: server.token, path: "/#/submit" })
    await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("warehouse")
    await page.getByLabel("edit the payload as JSON").check()
    const json = page.getByLabel("Payload (JSON)")
    await json.fill("{ closes }")
    await page.getByText(/Expected property name/).waitFor()
    await json.fill("{ \"closesInMs\": \"soon\" }")
    await page.getByRole("button", { name: "Submit" }).click()
    await page.getByText(/The manager refuses it: .*closesInMs/).waitFor()
    await json.fill("{ \"closesInMs\": 1 }")
    await page.getByRole("button", { name: "Submit" }).click()
    await page.getByText("run started").waitFor()
  })
})
