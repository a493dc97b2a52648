import { assert, describe, it } from "@effect/vitest"
import { Cause } from "effect"
import { causeStack, errorText, messageOf, plainError, stackOf } from "../../src/base/errorText.ts"
import { illegalOption } from "../../src/base/illegalOption.ts"
import { maxText, valueText } from "../../src/base/valueText.ts"
import { hostileNames, HostilePlan, hostiles, makeHostile } from "../support/hostile.ts"

/** The longest text: what is cut says so, and a text in JSON may need more characters than it has. */
const longest = maxText + 1_000

const texts = (value: unknown): ReadonlyArray<string> => [
  valueText(value),
  messageOf(value),
  stackOf(value),
  errorText(Cause.fail(value)),
  errorText(Cause.die(value)),
  causeStack(Cause.fromReasons([Cause.makeFailReason(value), Cause.makeDieReason(value)])),
  illegalOption("an option", value, "another").message,
  JSON.stringify(plainError(value).message)
]

describe("the text of a value", () => {
  for (const name of hostileNames) {
    it(`says what kind of value it is, and is bounded: ${name}`, () => {
      const { make, says } = hostiles[name]
      for (const text of texts(make())) {
        assert.isAtMost(text.length, longest)
      }
      assert.match(valueText(make()), says)
      assert.match(errorText(Cause.fail(make())), says)
      assert.match(messageOf(make()), name.startsWith("an error") ? /./ : says)
    })
  }

  it.prop("is there and bounded, whatever the value is within", { plan: HostilePlan }, ({ plan }) => {
    for (const text of texts(makeHostile(plan))) {
      assert.isString(text)
      assert.isAtMost(text.length, longest)
    }
    assert.isAbove(valueText(makeHostile(plan)).length, 0)
  }, { arbitrary: { runs: 300 } })
})
