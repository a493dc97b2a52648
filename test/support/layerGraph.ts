import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { LayerGraph } from "../../src/internal/layers/layerGraph.ts"
import type { LayerNode, NodeService } from "../../src/internal/layers/layerNode.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Plans = Schema.Array(Schema.Struct({
  /** Whether it needs the one before it, and the one before that. */
  needs: Schema.Tuple([Schema.Boolean, Schema.Boolean]),
  ms: upTo(2),
  ends: Schema.Literals(["well", "well", "well", "failing", "dying", "never"])
})).check(Schema.isMinLength(1), Schema.isMaxLength(3))

const Command = Schema.Union([
  // by the memo map itself, or by a child of it, which is what `Effect.provide` makes
  Schema.TaggedStruct("Build", { layer: upTo(2), scope: upTo(1), child: Schema.Boolean }),
  Schema.TaggedStruct("Close", { scope: upTo(1) }),
  Schema.TaggedStruct("Interrupt", { build: upTo(2) }),
  Schema.TaggedStruct("Yield", { turns: upTo(6) }),
  Schema.TaggedStruct("Wait", { ms: upTo(2) })
])

interface Program {
  readonly plans: typeof Plans.Type
  readonly commands: ReadonlyArray<typeof Command.Type>
}

/** Layers that write down what happens to them, without those that they need and with them. */
const layersOf = (plans: typeof Plans.Type, note: (what: string) => Effect.Effect<void>) => {
  const alone: Array<Layer.Layer<never, string>> = []
  const whole: Array<Layer.Layer<never, string>> = []
  plans.forEach(({ ends, ms, needs }, n) => {
    const tag = Context.Service<number>(`memo/${n}`)
    const begin = Effect.andThen(
      note(`${n} begins`),
      Effect.addFinalizer((exit) => Effect.andThen(note(`${n} is released: ${exit._tag}`), Effect.sleep(ms)))
    )
    const acquire = Effect.gen(function*() {
      yield* Effect.uninterruptible(begin)
      yield* Effect.sleep(ms)
      if (ends === "failing") return yield* Effect.fail(`${n} fails`)
      if (ends === "dying") return yield* Effect.die(`${n} dies`)
      if (ends === "never") return yield* Effect.never
      return n
    }).pipe(Effect.onExit((exit) => note(`${n} ends: ${exit._tag}`)))
    const layer: Layer.Layer<never, string> = Layer.effect(tag, acquire)
    alone.push(layer)
    const beneath = needs.flatMap((isNeeded, back) => isNeeded ? whole[n - 1 - back] ?? [] : [])
    whole.push(beneath.reduce((above, need) => Layer.provide(above, need), layer))
  })
  return { alone, whole }
}

const turns = (count: number) => Effect.forEach(Array.from({ length: count }), () => Effect.yieldNow, { discard: true })

/** What happened. A build that goes few steps at a time can be interrupted between any two. */
const play = ({ commands, plans }: Program, memoMap: Layer.MemoMap, steps = 2_048) =>
  Effect.gen(function*() {
    const trace: Array<string> = []
    const note = (what: string) =>
      Effect.clockWith((clock) => Effect.sync(() => void trace.push(`${clock.currentTimeMillisUnsafe()} ${what}`)))
    const { alone, whole } = layersOf(plans, note)
    const child = Layer.forkMemoMapUnsafe(memoMap)
    const scopes = [Scope.makeUnsafe(), Scope.makeUnsafe()]
    const close = (scope: Scope.Closeable) =>
      Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    const builds: Array<Fiber.Fiber<unknown>> = []
    for (const command of commands) {
      switch (command._tag) {
        case "Build": {
          const [layer, scope] = [whole[command.layer], scopes[command.scope]]
          if (layer === undefined || scope === undefined) break
          const n = builds.length
          const build = Layer.buildWithMemoMap(layer, command.child ? child : memoMap, scope).pipe(
            Effect.onExit((exit) =>
              note(`build ${n}: ${Exit.isSuccess(exit) ? Array.from(exit.value.mapUnsafe.keys()) : exit}`)
            ),
            Effect.exit,
            Effect.provideService(Scheduler.MaxOpsBeforeYield, steps)
          )
          builds.push(yield* Effect.forkChild(build, { startImmediately: true }))
          break
        }
        case "Close": {
          const scope = scopes[command.scope]
          if (scope !== undefined) yield* close(scope)
          break
        }
        case "Interrupt":
          builds[command.build]?.interruptUnsafe()
          break
        case "Yield":
          yield* turns(command.turns)
          break
        case "Wait":
          yield* TestClock.adjust(command.ms)
          break
      }
    }
    yield* Effect.forEach(scopes, close)
    for (const build of builds) build.interruptUnsafe()
    for (let n = 0; n < 10; n++) {
      yield* turns(50)
      yield* TestClock.adjust(2)
    }
    return { alone, builds, child, trace }
  }).pipe(Effect.provide(TestClock.layer()))

/** A graph in which every layer that has something to release is a service. */
const graphOf = () =>
  new LayerGraph<NodeService & { readonly node: LayerNode<never> }>({
    now: () => 0,
    // safe: only its scope is asked for
    adopt: (node) => ({
      name: "layer",
      isManaged: false,
      hasStopped: false,
      node: node as unknown as LayerNode<never>
    }),
    ended: () => undefined,
    release: ({ node }, exit) => Scope.close(node, exit)
  })
const commands = Schema.Array(Command).check(Schema.isMaxLength(12))

/** What holds of the layers of a job, in so many generated programs each. */
export const layerProperties = (runs: number): void => {
  const options = { timeout: 600_000, arbitrary: { runs } }

  it.effect.prop(
    "are shared as Effect shares them: built once, and released with the last layer that needs them",
    { plans: Plans, commands },
    (program) =>
      Effect.gen(function*() {
        const ours = yield* play(program, graphOf().memoMap)
        const effects = yield* play(program, Layer.makeMemoMapUnsafe())
        assert.deepStrictEqual(ours.trace, effects.trace)
      }),
    options
  )

  it.effect.prop(
    "leave nothing behind if a fiber is interrupted at any step while it builds them",
    { plans: Plans, commands, steps: Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 12 })) },
    ({ steps, ...program }) =>
      Effect.gen(function*() {
        const graph = graphOf()
        const { alone, builds, child, trace } = yield* play(program, graph.memoMap, steps)
        for (const build of builds) assert.isDefined(build.pollUnsafe(), "a build hangs")
        const fork = yield* Effect.provideService(
          Effect.sync(() => graph.fork(graph.memoMap)),
          Layer.CurrentMemoMap,
          child
        )
        alone.forEach((layer, n) => {
          const times = (what: string) => trace.filter((line) => line.includes(` ${n} ${what}`)).length
          assert.strictEqual(times("is released"), times("begins"), `${n} was not released each time that it began`)
          assert.isUndefined(graph.memoMap.shared.get(layer), `${n} is still there for others`)
          assert.isUndefined(fork?.shared.get(layer), `${n} is still there for others of its fork`)
        })
      }),
    options
  )
}
