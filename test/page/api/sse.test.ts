import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { SseParser } from "../../../src/page/api/sse.ts"

const text =
  "event: message\nid: 7\ndata: {\"a\":1}\n\n: a comment\n\nevent: heartbeat\ndata: -\n\ndata: one\ndata: two\r\n\r\n"
const events = [
  { event: "message", id: "7", data: "{\"a\":1}" },
  { event: "heartbeat", id: undefined, data: "-" },
  { event: "message", id: undefined, data: "one\ntwo" }
]

describe("the parser of server-sent events", () => {
  it.prop("reads the same, however the text is cut", [Schema.Array(Schema.Int)], ([cuts]) => {
    const parser = new SseParser()
    const places = [...new Set(cuts.map((cut) => Math.abs(cut) % text.length))].toSorted((a, b) => a - b)
    const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length))
    assert.deepStrictEqual(pieces.flatMap((piece) => parser.push(piece)), events)
  })

  it("keeps an event that is not complete", () => {
    const parser = new SseParser()
    assert.deepStrictEqual(parser.push("data: half"), [])
    assert.deepStrictEqual(parser.push("\n\n"), [{ event: "message", id: undefined, data: "half" }])
  })
})
