import { assert, describe, it } from "@effect/vitest"
import { readTrace, withTrace } from "../../../src/host/wire/callTrace.ts"
import { BrokenFrame } from "../../../src/host/wire/frames.ts"

const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
const payload = Uint8Array.from([1, 2, 3])

describe("the place of a call in a trace", () => {
  it("takes 25 bytes before the payload", () => {
    const body = withTrace(trace, payload)
    assert.strictEqual(body.length, 25 + payload.length)
    const read = readTrace(body)
    assert.deepStrictEqual(read.trace, trace)
    assert.deepStrictEqual([...read.payload], [...payload])
  })

  it("counts for nothing if it is not sampled, and the payload is read", () => {
    const body = withTrace(trace, payload)
    body[24] = 0
    const read = readTrace(body)
    assert.isUndefined(read.trace)
    assert.deepStrictEqual([...read.payload], [...payload])
  })

  it("is there, or the frame is broken", () => {
    for (const length of [0, 24]) {
      assert.throws(() => readTrace(withTrace(trace, payload).subarray(0, length)), BrokenFrame)
    }
  })
})
