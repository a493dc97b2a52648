import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { errorText } from "../../base/errorText.ts"
import { type PolicyMillis, policyMillisFromJson } from "../../internal/policy/policyMillis.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { CurrentProcess } from "../../process/processContext.ts"
import { Run } from "../../internal/run/run.ts"
import { stoppableTask } from "../../internal/run/stoppableTask.ts"
import { FrameReader, FrameWriter, readJson, Reply, Request } from "../wire/frames.ts"
import type { Init } from "../caller/hostConnection.ts"
import { loadServed, type Served } from "../hostModule.ts"
import type { Port } from "./ownerConnection.ts"
import { Serving } from "./callServer.ts"

/**
 * The life of a host: loads the module it was told of, starts its services, answers calls until it is asked to stop or
 * its owner is gone, releases its services, and sends its part of the report. Gives its exit code.
 */
export const hosted = (port: Port): Effect.Effect<number> =>
  Effect.gen(function*() {
    const writer = new FrameWriter(port.send)
    const inbox = new Inbox(writer)
    port.onBytes((bytes) => inbox.reader.feed(bytes))
    port.lost.onOpen(() => inbox.initialized.open())
    yield* inbox.initialized.await
    const { init } = inbox
    if (init === undefined) return 1
    const limits = policyMillisFromJson(init.limits)
    port.outlive(limits.releaseTimeout)
    const served = yield* Effect.result(loadServed(init))
    if (served._tag === "Failure") {
      writer.writeJson(Reply.startFailed, served.failure)
      yield* flush(port)
      return 1
    }
    const run = yield* runOf(init.service, limits)
    const stop = (reason: string, withinMs: number, trigger: "stopped" | "lost") =>
      run.stop({ trigger, mode: "cancel", reason, withinMs })
    inbox.stopping.onOpen(() => stop("the service was stopped", inbox.stopMs, "stopped"))
    port.lost.onOpen(() => stop("its owner is gone", limits.releaseTimeout, "lost"))
    yield* Effect.forkChild(
      Stream.runForEach(run.events.stream, (event) => Effect.sync(() => writer.writeJson(Reply.event, event)))
    )
    yield* Effect.withFiber((fiber) =>
      Effect.sync(() => run.start(jobOf(served.success, inbox, writer), undefined, fiber.context))
    )
    yield* run.stopped.await
    const result = run.result
    if (result === undefined) return 1
    // that its owner is gone is no failure of its own
    const failed = result.exit._tag === "Failure" && result.report.trigger !== "lost" ? result.exit : undefined
    const failure = failed === undefined ? undefined : errorText(failed.cause)
    if (!inbox.serves) writer.writeJson(Reply.startFailed, failure)
    writer.writeJson(Reply.report, { report: result.report, failure })
    yield* flush(port)
    return 0
  })

/** Frames are sent at the end of the turn in which they are written. */
const flush = (port: Port): Effect.Effect<void> => Effect.andThen(Effect.yieldNow, Effect.promise(port.flush))

/** What the owner has sent so far. */
class Inbox {
  readonly initialized = new OneShotLatch()
  readonly stopping = new OneShotLatch()
  init: Init | undefined
  stopMs = Infinity
  serving: Serving | undefined
  /** Whether calls were ever taken: it had started. */
  serves = false
  readonly reader: FrameReader

  constructor(writer: FrameWriter) {
    this.reader = new FrameReader((operation, id, method, body) => {
      switch (operation) {
        case Request.ping:
          return writer.write(Reply.pong)
        case Request.init:
          // safe: it comes from the same version of this package, or the fingerprints tell
          this.init = readJson(body) as Init
          return this.initialized.open()
        case Request.stop:
          this.stopMs = Number(readJson(body) ?? Infinity)
          return this.stopping.open()
        default:
          this.serving?.receive(operation, id, method, body)
      }
    })
  }
}

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
const jobOf = (served: Served, inbox: Inbox, writer: FrameWriter) => ({
  services: served.layer,
  run: () =>
    Effect.withFiber((fiber) => {
      const serving = new Serving(served.contract, fiber.context, writer, fiber.context)
      inbox.serving = serving
      inbox.serves = true
      writer.writeJson(Reply.ready, { pid: process.pid })
      return Effect.onExit(Effect.never, () => serving.close)
    })
})
