import { assert, describe, it } from "@effect/vitest"
import { readTraceUrl } from "../../src/telemetry/otelSettings.ts"

describe("AUTOSTOP_TRACE_URL", () => {
  it("is an address with the place of the id", () => {
    const url = "https://tempo.internal/trace/{traceId}?org=1"
    assert.deepStrictEqual(readTraceUrl({ AUTOSTOP_TRACE_URL: ` ${url}\n` }), { url })
    assert.deepStrictEqual(readTraceUrl({ AUTOSTOP_TRACE_URL: " " }), {})
    assert.deepStrictEqual(readTraceUrl({}), {})
  })

  for (
    const wrong of ["https://tempo.internal/trace", "javascript:alert('{traceId}')", "{traceId}", "ftp://a/{traceId}"]
  ) {
    it(`is said to be wrong as ${wrong}`, () => {
      const { fault, url } = readTraceUrl({ AUTOSTOP_TRACE_URL: wrong })
      assert.strictEqual(url, undefined)
      assert.match(fault ?? "", /^AUTOSTOP_TRACE_URL is no http or https URL with \{traceId\} in it/)
    })
  }
})
