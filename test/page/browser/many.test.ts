import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService, Processes } from "../../support/managerService.ts"
import { Chromium } from "./opened.ts"

const hostile = "<img src=x onerror=alert(1)>\u202etxt.exe"
const serviceName = "<script>alert(\"service\")</script>\u2066'\"`${1}"

/** A manager whose jobs have no processes, so that there may be thousands. */
const serving = (concurrency: number) =>
  Layer.unwrap(Effect.map(temporaryFolder, (folder) =>
    Layer.provideMerge(
      serveManager({ port: 0 }),
      managerService({ folder, jobs: ["many", hostile], concurrency, queued: 20_000 })
    )))

/** Chromium, which fails the test if a page has done what it must not. */
const opened = Effect.acquireRelease(
  Effect.promise(() => Chromium.start()),
  (chromium) => Effect.promise(() => chromium[Symbol.asyncDispose]())
)

describe("the page with many jobs", () => {
  it.live("has few rows in the document, however many jobs come and go at once", () =>
    Effect.gen(function*() {
      const chromium = yield* opened
      const manager = yield* Manager
      const { url } = yield* Address
      const page = yield* Effect.promise(() => chromium.open(url))
      yield* Effect.promise(() => page.getByText("There are no jobs yet.").waitFor())
      // counts frames, and the most rows that there were in any of them
      yield* Effect.promise(() =>
        page.evaluate(`
          globalThis.frames_ = 0
          globalThis.mostRows = 0
          const look = () => {
            frames_++
            mostRows = Math.max(mostRows, document.querySelectorAll(".row").length)
            requestAnimationFrame(look)
          }
          look()`)
      )
      yield* Effect.forEach(
        Array.from({ length: 10_000 }, (_, index) => index),
        (index) => manager.submit({ id: `job-${index}`, job: "many" }),
        { concurrency: 64, discard: true }
      )
      // a page that fell behind gets a shortened overview in place of the changes, and reads the rest as it is scrolled
      yield* Effect.promise(() => page.getByText(/ listed of 10,000$/).waitFor())
      const grid = page.getByRole("grid")
      yield* Effect.promise(() => grid.press("End"))
      yield* Effect.promise(() => page.locator("#row-job-0").or(page.locator(".row").last()).first().waitFor())
      // the ones that run stop, and others take their places
      yield* Effect.forEach(
        Array.from({ length: 500 }, (_, index) => index),
        (index) => manager.stop(`job-${index}`, { mode: "cancel" }),
        { concurrency: 16, discard: true }
      )
      yield* Effect.promise(() => page.getByRole("button", { name: "500 stopped" }).waitFor())
      const [frames, mostRows] = yield* Effect.promise(() =>
        page.evaluate<ReadonlyArray<number>>("[frames_, mostRows]")
      )
      assert.isBelow(mostRows ?? 0, 80)
      assert.isAbove(frames ?? 0, 20)

      yield* Effect.promise(() => page.getByRole("searchbox").fill("JOB-9999"))
      yield* Effect.promise(() => page.getByText("1 listed of 10,000").waitFor())
      yield* Effect.promise(() => page.getByRole("button", { name: "Select all that match" }).click())
      yield* Effect.promise(() => page.getByRole("button", { name: "cancel 1" }).click())
      yield* Effect.promise(() => page.getByLabel("Type 1 to confirm").fill("1"))
      yield* Effect.promise(() => page.getByRole("dialog").getByRole("button", { name: "cancel 1" }).click())
      yield* Effect.promise(() => page.getByText("1 of 1 asked").waitFor())
    }).pipe(Effect.provide(serving(20))))

  it.live("shows hostile names as text, everywhere", () =>
    Effect.gen(function*() {
      const chromium = yield* opened
      const manager = yield* Manager
      const { url } = yield* Address
      const { id } = yield* manager.submit({ job: hostile })
      const process = (yield* Processes).get(id) ?? assert.fail("it has no process")
      const at = new Date().toISOString()
      process.report({ _tag: "ServiceStarting", at, service: serviceName })
      process.report({ _tag: "ServiceStarted", at, service: serviceName, startMs: 1, dependsOn: ["<b>gone</b>"] })
      process.report({ _tag: "ServiceStarting", at, service: "__proto__" })
      process.report({ _tag: "ServiceStarted", at, service: "__proto__", startMs: 1, dependsOn: [serviceName] })
      process.report({ _tag: "RunStarted", at })
      const page = yield* Effect.promise(() => chromium.open(url))
      const see = (text: string) => Effect.promise(() => page.getByText(text).first().waitFor())
      const go = (path: string) => Effect.promise(() => page.evaluate(`location.hash = ${JSON.stringify(path)}`))
      yield* see("<img src=x onerror=alert(1)>\\u202etxt.exe")
      yield* go(`#/jobs/${id}`)
      yield* see("<script>alert(\"service\")</script>\\u2066'\"`${1} started")
      yield* go(`#/jobs/${id}/graph`)
      yield* Effect.promise(() => page.locator("svg .node").nth(1).waitFor())
      yield* Effect.promise(() => page.getByRole("cell", { name: "__proto__" }).waitFor())
      process.report({
        _tag: "StopRequested",
        at,
        trigger: "stopped",
        mode: "drain",
        reason: hostile,
        deadlineMs: 9_000
      })
      process.report({ _tag: "PhaseStarted", at, phase: "release", limitMs: 8_000 })
      process.report({ _tag: "ServiceReleasing", at, service: "__proto__", limitMs: 5_000 })
      yield* go(`#/jobs/${id}/stop`)
      yield* see("Stopping (stopped, drain): <img src=x onerror=alert(1)>\\u202etxt.exe")
      yield* Effect.promise(() =>
        page.getByText(/^Waiting for __proto__, .* of 5 s; holds up <script>/).first().waitFor()
      )
      yield* go("#/submit")
      const option = page.locator("option", { hasText: "<img src=x onerror=alert(1)>" })
      yield* Effect.promise(() => option.waitFor({ state: "attached" }))
      yield* go("#/manager")
      yield* Effect.promise(() => page.getByRole("listitem").filter({ hasText: "<img src=x" }).waitFor())
      assert.strictEqual(yield* Effect.promise(() => page.locator("main img, main script").count()), 0)
    }).pipe(Effect.provide(serving(4))))
})
