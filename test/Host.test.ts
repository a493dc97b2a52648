import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import { Rpc, RpcGroup } from "effect/rpc"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import { Host } from "../src/index.ts"
import { Maths } from "./host/services/math.ts"

/** Checks that an option is refused where it is written, with this message. */
const refused = (make: () => unknown, message: string) => () => {
  try {
    make()
  } catch (error) {
    assert.isTrue(Cause.isIllegalArgumentError(error), String(error))
    return assert.include(String(error), message)
  }
  assert.fail("it was taken")
}

describe("Host.layer refuses", () => {
  const layer = (options: object, message: string) =>
    // safe: what a program without types may write
    refused(() => Host.layer(Maths, options as Host.Options), message)

  it(
    "an unknown host",
    layer({ host: "cloud" }, "host of service \"test/Maths\" is \"cloud\"; expected one of local, thread, process, ray")
  )
  it("an empty host", layer({ host: "" }, "host of service \"test/Maths\" is \"\"; expected one of local"))
  for (const replicas of [0, -1, 1.5, NaN, Infinity, "2", null]) {
    const message = "replicas of service \"test/Maths\" is "
    it(`${JSON.stringify(replicas)} of ${typeof replicas} as replicas`, layer({ replicas }, message))
  }
  for (const heartbeat of ["soon", -1, NaN, 0]) {
    const message = "heartbeat of service \"test/Maths\" is "
    it(`${String(heartbeat)} as heartbeat`, layer({ heartbeat }, message))
  }
  const later = { timeout: "later" }
  it("a wrong stop timeout", layer({ name: "sums", stop: later }, "the stop timeout of service \"sums\" is \"later\""))
  it("a wrong start timeout", layer({ start: later }, "the start timeout of service \"test/Maths\" is \"later\""))
  it("a name without text", layer({ name: " " }, "the name of a service is \" \"; expected a non-empty string"))
})

describe("Host.restart refuses", () => {
  const delay = "1 second"
  const cases: ReadonlyArray<readonly [what: string, make: () => unknown, message: string]> = [
    [
      "a negative delay",
      () => Host.restart.fixed({ delay: -1 }),
      "delay of Host.restart.fixed is -1; expected a duration"
    ],
    [
      "half a time",
      () => Host.restart.fixed({ delay, times: 0.5 }),
      "times of Host.restart.fixed is 0.5; expected a whole"
    ],
    [
      "a factor of zero",
      () => Host.restart.exponential({ delay, factor: 0 }),
      "factor of Host.restart.exponential is 0"
    ],
    [
      "a wrong longest delay",
      () => Host.restart.exponential({ delay, maxDelay: NaN }),
      "maxDelay of Host.restart.exponential is NaN"
    ],
    [
      "a negative number of failures",
      () => Host.restart.failureRate({ failures: -1, interval: delay, delay }),
      "failures of Host.restart.failureRate is -1; expected a whole number"
    ],
    [
      "a negative interval",
      () => Host.restart.failureRate({ failures: 1, interval: -5, delay }),
      "interval of Host.restart.failureRate is -5"
    ]
  ]
  it.each(cases)("%s", (_, make, message) => refused(make, message)())

  it("nothing that can be used", () => {
    Host.restart.fixed({ delay: 0, times: 0 })
    Host.restart.exponential({ delay, factor: 0.5 })
    Host.restart.failureRate({ failures: 0, interval: "1 hour", delay: 0 })
  })
})

describe("Host.Service", () => {
  class Token extends RpcMiddleware.Service<Token>()("test/Token") {}

  it("refuses a request with middleware, which no host would run", () => {
    const group = RpcGroup.make(Rpc.make("get").middleware(Token))
    const make = () => Host.Service()("test/Guarded", { group, module: "file:///guarded.host.ts" })
    assert.throws(make, "request \"get\" of service \"test/Guarded\" has middleware, which no host runs; remove it")
  })
})
