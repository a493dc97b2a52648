import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { errorText } from "../../base/errorText.ts"
import type { PolicyMillis } from "../../internal/policy/policyMillis.ts"
import { Run } from "../../internal/run/run.ts"
import { stoppableTask } from "../../internal/run/stoppableTask.ts"
import { CurrentProcess } from "../../process/processContext.ts"
import { loadServed, type Served } from "../hostModule.ts"
import { sendResult } from "../wire/farewell.ts"
import { FrameWriter, Reply } from "../wire/frames.ts"
import { sendReady, sendStartFailed } from "../wire/handshake.ts"
import { CallServer } from "./callServer.ts"
import type { OwnerConnection } from "./ownerConnection.ts"
import { OwnerInbox } from "./ownerInbox.ts"

/**
 * The life of a host: loads the module that its owner names, starts its services, answers calls until it is asked to
 * stop or its owner is gone, releases its services, and sends its result. Returns its exit code.
 */
export const hostProgram = (owner: OwnerConnection): Effect.Effect<number> =>
  Effect.gen(function*() {
    const writer = new FrameWriter(owner.send)
    const inbox = new OwnerInbox(writer)
    owner.onBytes((bytes) => inbox.reader.feed(bytes))
    owner.lost.onOpen(() => inbox.ownerLost())
    yield* inbox.begun.await
    const { init } = inbox
    if (init === undefined) return 1
    const { limits } = init
    owner.outlive(limits.releaseTimeout)
    const served = yield* Effect.result(loadServed(init))
    if (served._tag === "Failure") {
      sendStartFailed(writer, served.failure)
      yield* flush(owner)
      return 1
    }
    const run = yield* runOf(init.service, limits)
    const stop = (reason: string, withinMs: number, trigger: "stopped" | "lost") =>
      run.stop({ trigger, mode: "cancel", reason, withinMs })
    inbox.onStop((limitMs) => stop("the service was stopped", limitMs, "stopped"))
    owner.lost.onOpen(() => stop(ownerGone, limits.releaseTimeout, "lost"))
    yield* Effect.forkChild(
      Stream.runForEach(run.events.stream, (event) => Effect.sync(() => writer.writeJson(Reply.event, event)))
    )
    yield* Effect.withFiber((fiber) =>
      Effect.sync(() => run.start(jobOf(served.success, inbox, writer), undefined, fiber.context))
    )
    yield* run.stopped.await
    const result = run.result
    if (result === undefined) return 1
    // the end of its owner is no failure of the host
    const failed = result.exit._tag === "Failure" && result.report.trigger !== "lost" ? result.exit : undefined
    const failure = failed === undefined ? undefined : errorText(failed.cause)
    if (!inbox.isServing) sendStartFailed(writer, failure ?? ownerGone)
    sendResult(writer, { report: result.report, failure })
    yield* flush(owner)
    return 0
  })

const ownerGone = "its owner is gone"

/** Frames are sent at the end of the turn in which they are written. */
const flush = (owner: OwnerConnection): Effect.Effect<void> =>
  Effect.andThen(Effect.yieldNow, Effect.promise(owner.flush))

const runOf = (service: string, limits: PolicyMillis): Effect.Effect<Run> =>
  Effect.withFiber((fiber) => {
    const { attach, leftovers } = fiber.getRef(CurrentProcess)
    const run = new Run({
      id: `${service}/${process.pid}`,
      job: service,
      environment: "host",
      limits,
      autostop: { _tag: "end" },
      clock: fiber.getRef(Clock.Clock),
      scheduler: fiber.getRef(Scheduler.Scheduler),
      attach,
      leftovers
    })
    attach(stoppableTask(run))
    return Effect.succeed(run)
  })

/** A host is a job whose run answers calls. */
const jobOf = (served: Served, inbox: OwnerInbox, writer: FrameWriter) => ({
  services: served.layer,
  run: () =>
    Effect.withFiber((fiber) => {
      const server = new CallServer(served.contract, fiber.context, writer, fiber.context)
      inbox.serve(server)
      sendReady(writer)
      return Effect.onExit(Effect.never, () => server.close)
    })
})
