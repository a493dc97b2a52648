import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { stagesOf } from "./currentStages.ts"
import { DrainGate, type OnDrain } from "./drainGate.ts"
import { effectScope, Opening } from "./opening.ts"
import { StageCounters } from "./stageCounters.ts"

type SourcePull<A, E, R> = Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>

interface SourceParts<R> {
  readonly name: string
  readonly onDrain: OnDrain<R>
  /** The counters of the job that the stream was made in. */
  readonly made: StageCounters | undefined
}

/** Makes a stream count what it emits, and end when a drain is asked for. */
export const openSource = <A, E, R, R2>(
  self: Stream.Stream<A, E, R>,
  { made, name, onDrain }: SourceParts<R2>
): Stream.Stream<A, E, R | R2> =>
  Stream.fromChannel(Channel.fromTransform((_: unknown, scope) => {
    return Effect.withFiber((fiber): Effect.Effect<SourcePull<A, E, R>, never, R | R2> => {
      const stages = stagesOf(fiber, made)
      if (stages === undefined) return Effect.andThen(warnOutside(name), Channel.toPullScoped(self.channel, scope))
      const root = rootOf(scope)
      const around = effectScope(scope)
      const stage = stages.stage("source", name)
      const isLate = stages.draining.isOpen
      const known = stages.flowOf(root)
      const flow = known ?? stages.begin(root)
      if (isLate) {
        const rerun = flow.rerun(stage, around)
        if (rerun === "waits") return Effect.as(warnRepeated(name), Effect.never)
        if (rerun !== undefined && !isOfFiber(root, fiber.context)) {
          return Effect.as(endAround(around, root, rerun.level), endedPull)
        }
      }
      // what a stream does before its first pull, such as a first fetch, is part of its flow
      const opening = new Opening(stages, scope)
      opening.become(stage)
      const opened = Effect.flatMap(opening.open(self), (pull) => {
        const timer = opening.measure({ isParallel: false })
        // safe: the fiber that begins the source was given what `onDrain` needs
        const own = onDrain as OnDrain<never>
        const gate = new DrainGate({ stages, stage, isLate, timer, upstream: pull, onDrain: own }, fiber)
        const remove = flow.add(stage, gate, around)
        return Effect.andThen(
          Scope.addFinalizer(scope, Effect.ensuring(gate.close, Effect.sync(remove))),
          opening.measured(gate.pull)
        )
      })
      return known === undefined
        ? Effect.andThen(Scope.addFinalizer(root, Effect.sync(() => stages.end(root))), opened)
        : opened
    })
  }))

const endedPull = Cause.done()

/**
 * Makes the operator end that repeats a source, once the scope closes which it gave to this turn of the source: an operator
 * whose close of such a scope ends as a stream does has ended itself. `level` is the number of scopes between.
 */
const endAround = (scope: Scope.Scope, root: Scope.Scope, level: number): Effect.Effect<void> => {
  let around = scope
  for (let i = 0; i < level && around.parent !== undefined; i++) around = effectScope(around.parent)
  if (around === root) return Effect.void
  return Scope.addFinalizerExit(around, (exit) =>
    // safe: the types of Effect know no finalizer that fails; here the failure is the end of a stream
    exit._tag === "Success" && root.state._tag !== "Closed" ? Cause.done() as Effect.Effect<never> : Effect.void)
}

/** Returns the scope in which the stream runs: a merge or a flatMap gives each of its streams a scope within it. */
const rootOf = (scope: Scope.Scope): Scope.Scope => scope.parent === undefined ? scope : rootOf(scope.parent)

/** Returns true for a stream that runs in the Scope of a user (`Stream.toPull`), who expects a pull. */
const isOfFiber = (root: Scope.Scope, context: Context.Context<never>): boolean => {
  const own = Context.getOption(context, Scope.Scope)
  return own._tag === "Some" && rootOf(own.value) === root
}

/** No drain ends a stream that repeats its source in a way that `endAround` cannot end. */
const warnRepeated = (name: string): Effect.Effect<void> =>
  warnOnce(
    `the source "${name}" is run again and again, so that the drain of its job waits in vain: ` +
      "put `Pipeline.source` after the operator that repeats the stream"
  )

/** Outside of a job a source does nothing, which is a mistake if the stream belongs to a job that runs beside it. */
const warnOutside = (name: string): Effect.Effect<void> =>
  StageCounters.areJobsRunning
    ? warnOnce(
      `the source "${name}" runs outside of the fibers of a job, so that no drain ends it and nothing is counted; ` +
        "if it belongs to a job, make its stream within the `run` of that job"
    )
    : Effect.void

const warned = new Set<string>()

const warnOnce = (message: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (warned.has(message)) return Effect.void
    warned.add(message)
    return Effect.logWarning(message)
  })
