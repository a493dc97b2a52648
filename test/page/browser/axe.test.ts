import { assert, describe, it } from "@effect/vitest"
import axe from "axe-core"
import type { Page } from "playwright-core"
import { Chromium } from "./opened.ts"
import { startManager, submitWarehouse } from "./warehouse.ts"

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
}

/** Fails with what axe finds. Its script is no script of the page: the test evaluates it, past the policy. */
const expectClean = async (page: Page, screen: string): Promise<void> => {
  await page.evaluate(axe.source)
  const violations: ReadonlyArray<Violation> = await page.evaluate(
    "axe.run(document).then(({ violations }) => violations)"
  )
  const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`))
  assert.deepStrictEqual(found, [], screen)
}

describe.each(["light", "dark"] as const)("axe in the %s scheme", (colorScheme) => {
  it("finds nothing on any screen", async () => {
    await using server = await startManager()
    await using chromium = await Chromium.start()
    const ended = await submitWarehouse(server)
    await server.post(`/jobs/${ended}/stop`, {})
    await server.stopped(ended)
    const id = await submitWarehouse(server, { closesInMs: 600_000, label: "\u001b[31mred\u001b[0m" })

    const page = await chromium.open(server.url, { token: server.token, colorScheme })
    await page.getByRole("link", { name: "warehouse" }).nth(1).waitFor()
    await expectClean(page, "jobs")
    const go = (path: string) => page.evaluate(`location.hash = ${JSON.stringify(path)}`)
    await go(`#/jobs/${id}`)
    await page.getByText("run started").waitFor()
    await expectClean(page, "job")
    await page.getByRole("button", { name: "kill" }).click()
    await page.getByRole("dialog").waitFor()
    await expectClean(page, "dialog")
    await page.keyboard.press("Escape")
    await go(`#/jobs/${id}/graph`)
    await page.getByRole("cell", { name: "Warehouse, Metrics" }).waitFor()
    await expectClean(page, "graph")
    await go(`#/jobs/${id}/metrics`)
    await page.getByRole("heading", { name: "Per cent of one processor" }).waitFor()
    await page.locator("canvas").first().waitFor()
    await expectClean(page, "metrics")
    await go("#/submit")
    await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("warehouse")
    await page.getByLabel("closesInMs").waitFor()
    await expectClean(page, "submit")
    await go("#/manager")
    await page.getByText("autostop_uptime_seconds").waitFor()
    await expectClean(page, "manager")

    await go(`#/jobs/${id}`)
    await server.post(`/jobs/${id}/stop`, {})
    await page.getByText(/^Waiting for Warehouse/).first().waitFor()
    await expectClean(page, "stop")
    await go(`#/jobs/${id}/logs`)
    await page.getByText("closing Warehouse").waitFor()
    await expectClean(page, "logs")
    await go(`#/jobs/${id}/stop`)
    await page.getByRole("heading", { name: /^Report: / }).waitFor()
    await expectClean(page, "report")
  })
})
