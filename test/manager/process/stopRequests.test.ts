import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { StopRequest } from "../../../src/jobProcess/protocol.ts"
import { StopRequests } from "../../../src/manager/process/stopRequests.ts"

/** A run that records what it is asked for. */
const recorded = () => {
  const asked: Array<unknown> = []
  return {
    asked,
    run: {
      stop: ({ reason }: { readonly reason?: string | undefined }) => void asked.push(reason),
      fail: (_: unknown, reason: string) => void asked.push(`fails: ${reason}`)
    }
  }
}

const request = (reason: string, trigger: StopRequest["trigger"] = "stopped"): StopRequest => ({
  trigger,
  mode: "drain",
  reason
})

describe("the requests to stop a job", () => {
  it.prop(
    "reach its run in their order, each once, those first that came before it",
    { before: Schema.Array(Schema.String), after: Schema.Array(Schema.String) },
    ({ after, before }) => {
      const { asked, run } = recorded()
      const requests = new StopRequests()
      for (const reason of before) requests.add(request(reason))
      assert.isFalse(requests.hasRun)
      assert.isEmpty(asked)
      requests.attach(run)
      assert.isTrue(requests.hasRun)
      assert.deepStrictEqual<unknown>(asked, before)
      for (const reason of after) requests.add(request(reason))
      assert.deepStrictEqual(asked, [...before, ...after])
    }
  )

  it("let its run fail first if it has exceeded a limit", () => {
    const { asked, run } = recorded()
    const requests = new StopRequests()
    requests.add(request("too large", "failed"))
    requests.attach(run)
    assert.deepStrictEqual(asked, ["fails: too large", "too large"])
  })
})
