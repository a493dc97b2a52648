import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Holder, Stage, StageCounters } from "../pipeline/stageCounters.ts"

/** The part of a job in which a fiber works: a service, the `run`, or a unit of either. */
export const CurrentWork = Context.Reference<"service" | "run" | "unit">("autostop/CurrentWork", {
  defaultValue: () => "service"
})

/** The name of a unit that was not begun: an annotation of the interrupt of the fiber that was to begin it. */
export class NotBegun extends Context.Service<NotBegun, string>()("autostop/NotBegun") {}

/**
 * The units that may begin: all of them; those of the run, and within a unit, because a drain waits for the run; those within
 * a unit that runs, because a drain waits for that; none.
 */
export type Admission = "all" | "run" | "unit" | "none"

/** The units of one name. */
interface Kind extends Holder {
  readonly stage: Stage
  running: number
}

/** The units of work of a job, which a drain waits for. */
export class WorkUnits {
  readonly #stages: StageCounters
  readonly #kinds = new Map<string, Kind>()
  #admission: Admission = "all"
  #running = 0
  /** Opens when no unit runs any longer. */
  #idle: OneShotLatch | undefined
  /** Opens when the units that were held back are not going to begin. */
  readonly #closed = new OneShotLatch()

  constructor(stages: StageCounters) {
    this.#stages = stages
  }

  /** `true` while a unit runs. */
  get isBusy(): boolean {
    return this.#running > 0
  }

  /** Returns a latch that opens once no unit runs. */
  get idle(): OneShotLatch {
    const latch = this.#idle ?? new OneShotLatch()
    if (this.#running === 0) latch.open()
    else this.#idle = latch
    return latch
  }

  /** Says which units may begin from now on. Those that may not wait until `none` may, and are interrupted then. */
  admit(admission: Admission): void {
    this.#admission = admission
    if (admission === "none") this.#closed.open()
  }

  /** Runs an effect as a unit. */
  around<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (!this.#mayBegin(fiber.getRef(CurrentWork))) return restore(this.#holdBack(name))
        const kind = this.#kindOf(name)
        kind.running++
        this.#running++
        return Effect.onExit(
          restore(Effect.provideService(effect, CurrentWork, "unit")),
          (exit) => Effect.sync(() => this.#end(kind, exit))
        )
      })
    )
  }

  #mayBegin(work: "service" | "run" | "unit"): boolean {
    switch (this.#admission) {
      case "all":
        return true
      case "run":
        return work !== "service"
      case "unit":
        return work === "unit" && this.isBusy
      case "none":
        return false
    }
  }

  /** Waits until the units that run have ended: an interrupt before that could cut them off. */
  #holdBack(name: string): Effect.Effect<never> {
    return Effect.andThen(
      this.#closed.await,
      Effect.withFiber(({ id }) => Effect.failCause(Cause.annotate(Cause.interrupt(id), Context.make(NotBegun, name))))
    )
  }

  #kindOf(name: string): Kind {
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const kind: Kind = {
      stage: this.#stages.stage("unit", name),
      running: 0,
      held: () => kind.running,
      inFlight: () => kind.running
    }
    this.#kinds.set(name, kind)
    this.#stages.addHolder(kind)
    return kind
  }

  #end(kind: Kind, exit: Exit.Exit<unknown, unknown>): void {
    kind.running--
    this.#running--
    this.#stages.active()
    // once the job has stopped, what still ran was counted as dropped
    if (!this.#stages.isOver) {
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) kind.stage.dropped++
      else kind.stage.count++
    }
    if (this.#running === 0) {
      this.#idle?.open()
      this.#idle = undefined
    }
  }
}
