import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { errorText } from "../../base/errorText.ts"
import type { PolicyMillis } from "../../internal/policy/policyMillis.ts"
import { Run } from "../../internal/run/run.ts"
import { stoppableTask } from "../../internal/run/stoppableTask.ts"
import { surroundingsOf } from "../../internal/run/surroundings.ts"
import { loadServed, type Served } from "../hostModule.ts"
import { sendResult } from "../wire/farewell.ts"
import { FrameWriter, Reply } from "../wire/frames.ts"
import { sendReady, sendStartFailed } from "../wire/handshake.ts"
import { CallServer } from "./callServer.ts"
import { MeasuredCalls } from "./measuredCalls.ts"
import type { OwnerConnection } from "./ownerConnection.ts"
import { OwnerInbox } from "./ownerInbox.ts"

/**
 * The life of a host: loads the module that its owner names, starts its services, answers calls until it is asked to
 * stop or its owner is gone, releases its services, and sends its result. Returns its exit code.
 */
export const hostProgram = (owner: OwnerConnection): Effect.Effect<number> =>
  Effect.gen(function*() {
    const writer = new FrameWriter(owner.send)
    const inbox = new OwnerInbox(writer, () => owner.lost.open())
    owner.onBytes((bytes) => inbox.reader.feed(bytes))
    owner.lost.onOpen(() => inbox.ownerLost())
    yield* inbox.begun.await
    const { init } = inbox
    if (init === undefined) return 1
    const { limits } = init
    owner.outlive(limits.releaseTimeout)
    const run = yield* runOf(init.service, limits)
    // a module that crashes as it is loaded may never have been loaded
    const served = yield* Effect.result(Effect.raceFirst(loadServed(init), failureOf(run)))
    if (served._tag === "Failure") {
      sendStartFailed(writer, served.failure)
      yield* flush(owner, writer)
      return 1
    }
    const { telemetry } = init
    const clock = yield* Clock.Clock
    const measured = telemetry && new MeasuredCalls(served.success.contract, telemetry, writer, clock)
    const stop = (reason: string, withinMs: number, trigger: "stopped" | "lost") =>
      run.stop({ trigger, mode: "cancel", reason, withinMs })
    inbox.onStop((limitMs) => stop("the service was stopped", limitMs, "stopped"))
    owner.lost.onOpen(() => stop(ownerGone, limits.releaseTimeout, "lost"))
    yield* Effect.forkChild(
      Stream.runForEach(run.events.stream, (event) => Effect.sync(() => writer.writeJson(Reply.event, event)))
    )
    yield* Effect.withFiber((fiber) =>
      Effect.sync(() => run.start(jobOf(served.success, inbox, writer, measured), undefined, fiber.context))
    )
    yield* run.stopped.await
    measured?.end()
    measured?.send()
    const result = run.result
    if (result === undefined) return 1
    const { exit, report } = result
    // the end of its owner and a stop are no failures of the host
    const failure = exit._tag === "Failure" && report.outcome === "failed" && report.trigger !== "lost"
      ? errorText(exit.cause)
      : undefined
    if (!inbox.isServing) sendStartFailed(writer, failure ?? report.reason ?? ownerGone)
    sendResult(writer, { report, failure })
    yield* flush(owner, writer)
    return 0
  })

/** Fails once the run is being stopped, with the reason. */
const failureOf = (run: Run): Effect.Effect<never, string> =>
  Effect.flatMap(run.stopping.await, () => {
    const { failure } = run.lifecycle
    return Effect.fail(failure === undefined ? "it was stopped while it loaded its module" : errorText(failure))
  })

const ownerGone = "its owner is gone"

/** Sends all frames, and waits until they have arrived. After a crash, a turn may not end before the host does. */
const flush = (owner: OwnerConnection, writer: FrameWriter): Effect.Effect<void> =>
  Effect.promise(() => {
    writer.flush()
    return owner.flush()
  })

const runOf = (service: string, limits: PolicyMillis): Effect.Effect<Run> =>
  Effect.withFiber((fiber) => {
    const surroundings = surroundingsOf(fiber)
    const run = new Run({
      id: `${service}/${process.pid}`,
      job: service,
      environment: "host",
      limits,
      limitedServices: [],
      autostop: { _tag: "end" },
      ...surroundings
    })
    surroundings.attach(stoppableTask(run))
    return Effect.succeed(run)
  })

/** A host is a job whose run answers calls. */
const jobOf = (served: Served, inbox: OwnerInbox, writer: FrameWriter, measured: MeasuredCalls | undefined) => ({
  services: served.layer,
  run: () =>
    Effect.withFiber((fiber) => {
      const server = new CallServer(served.contract, fiber.context, writer, fiber.context, measured)
      inbox.serve(server)
      sendReady(writer)
      return Effect.onExit(Effect.never, () => server.close)
    })
})
