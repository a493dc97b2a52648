import { Context, Effect, Layer, Scope, Stream } from "effect"
import { provides } from "./data.ts"
import type { Layers } from "./layers.ts"

class Db extends Context.Service<Db, { readonly rows: Effect.Effect<number> }>()("adopted/Db") {}
class Users extends Context.Service<Users, { readonly count: Effect.Effect<number> }>()("adopted/Users") {}

const release = Effect.addFinalizer(() => Effect.void)
const db = () => Layer.effect(Db, Effect.as(release, { rows: Effect.succeed(3) }))
const users = Layer.effect(Users, Effect.tap(Effect.map(Db, ({ rows }) => ({ count: rows })), release))
const start = Effect.fn("start")(function*() {
  yield* release
})

/** The ways in which layers are put together. */
export const combinations: Layers = {
  "Layer.provide": Layer.provide(users, db()),
  "Layer.provideMerge": Layer.provideMerge(users, db()),
  "Layer.merge, of one key": Layer.merge(db(), db()),
  "Layer.mergeAll, without keys": Layer.mergeAll(
    Layer.effectDiscard(release),
    Layer.effectDiscard(release),
    Layer.effectDiscard(start())
  ),
  "Layer.effectContext, of two keys": Layer.effectContext(
    Effect.as(release, Context.add(Context.make(Db, { rows: Effect.succeed(3) }), Users, { count: Effect.succeed(3) }))
  ),
  "Layer.unwrap": Layer.unwrap(Effect.map(Db, () => db())).pipe(Layer.provide(db())),
  "Layer.unwrap, with a finalizer": Layer.unwrap(Effect.as(release, db())),
  "Layer.suspend": Layer.suspend(() => db()),
  "Layer.flatMap": Layer.flatMap(db(), () => Layer.provide(users, db())),
  "Layer.tap": Layer.tap(db(), () => release),
  "Layer.tap, alone": Layer.tap(Layer.empty, () => release),
  "Layer.catch": Layer.catch(Layer.effect(Db, Effect.andThen(release, Effect.fail("no"))), () => db()),
  "Layer.catchCause": Layer.catchCause(Layer.effect(Db, Effect.die("no")), () => db()),
  "Layer.orDie": Layer.orDie(db()),
  "Layer.updateService": Layer.updateService(Layer.provide(users, db()), Db, (it) => it).pipe(Layer.provide(db())),
  "Layer.withSpan": Layer.withSpan(Layer.provide(users, db()), "users"),
  "Layer.span": Layer.provideMerge(users, Layer.merge(Layer.span("all"), db())),
  "Layer.mock": Layer.provide(users, Layer.mock(Db, { rows: Effect.succeed(3) })),
  "Layer.fresh, within another": provides("Fresh", Layer.build(Layer.fresh(db()))),
  "Layer.build, within another": provides("Built", Layer.build(Layer.provide(users, db()))),
  "Layer.buildWithScope, within another": provides(
    "Scoped",
    Effect.flatMap(Effect.scope, (scope) => Layer.buildWithScope(db(), scope))
  ),
  "Layer.launch, in a fiber": Layer.effectDiscard(Effect.forkScoped(Layer.launch(db()), { startImmediately: true })),
  "Effect.provide, in a fiber": Layer.effectDiscard(
    Effect.forkScoped(Effect.provide(Effect.andThen(Db, Effect.never), db()), { startImmediately: true })
  ),
  "a scope that is forked": provides(
    "Forked",
    Effect.flatMap(
      Effect.scope,
      (scope) => Effect.flatMap(Scope.fork(scope), (forked) => Scope.addFinalizer(forked, Effect.void))
    )
  ),
  "a scope that is parallel": provides(
    "Parallel",
    Effect.flatMap(
      Effect.scope,
      (scope) =>
        Effect.flatMap(
          Scope.fork(scope, "parallel"),
          (forked) => Effect.andThen(Scope.addFinalizer(forked, Effect.void), Scope.addFinalizer(forked, Effect.void))
        )
    )
  ),
  "a Stream in a scope": provides("Pull", Stream.toPull(Stream.scoped(Stream.fromEffect(Effect.as(release, 1))))),
  "a layer that is shared twice over": Layer.suspend(() => {
    const shared = db()
    return Layer.merge(Layer.provide(users, shared), Layer.provide(Layer.effectDiscard(start()), shared))
  })
}
