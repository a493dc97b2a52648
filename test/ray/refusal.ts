import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Host, Job } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { Lean } from "../host/services/lean.ts"
import { patientStart, runJob } from "../support/hosts.ts"

/** Why a service does not start in a cluster. */
export const refusal = (ray: Host.RayOptions, timeout: Duration.Input = patientStart.timeout) =>
  Effect.gen(function*() {
    const layer = Host.layer(Lean, {
      name: "refused/Lean",
      host: "ray",
      ray,
      start: { timeout },
      stop: { timeout: "20 seconds" }
    })
    const { exit, report } = yield* runJob(Effect.die("never reached"), layer)
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it started")
    assert.instanceOf(error, Job.ServiceError)
    assert.instanceOf(error.cause, Host.HostError)
    assert.strictEqual(error.cause.reason, "start")
    assertClean(report)
    return error.message
  })
