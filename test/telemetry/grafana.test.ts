import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { instruments, prometheusName } from "../../src/telemetry/instruments.ts"

const read = (name: string): string => readFileSync(new URL(`../../docs/grafana/${name}`, import.meta.url), "utf8")

const known = new Set(Object.keys(instruments).map(prometheusName))

describe("the dashboard and the rules for alerts", () => {
  for (const name of ["autostop.json", "alerts.yml"]) {
    it(`${name} asks for metrics that there are`, () => {
      const used = [...read(name).matchAll(/\b(autostop|process|nodejs|rpc)_[a-z0-9_]+/g)].map(([metric]) =>
        metric.replace(/_(bucket|sum|count)$/, "")
      )
      assert.isAbove(used.length, 3)
      for (const metric of used) assert.isTrue(known.has(metric), metric)
    })
  }

  it("the dashboard is JSON with panels that do not lie on each other", () => {
    const { panels }: { panels: ReadonlyArray<{ gridPos: { x: number; y: number; w: number } }> } = JSON.parse(
      read("autostop.json")
    )
    for (const { gridPos: { w, x } } of panels) assert.isAtMost(x + w, 24)
    assert.strictEqual(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length)
  })
})
