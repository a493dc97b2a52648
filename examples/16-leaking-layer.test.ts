// A suite that fails if its layers do not stop clean. Run it: `npx vitest run --root examples`. After `LEAKS=yes`, it fails
// and names the layer: `LEAKS=yes npx vitest run --root examples`.
import { assert, it } from "@effect/vitest"
import { stopsClean } from "autostop/testing"
import { Context, Effect, Layer } from "effect"

class Database extends Context.Service<Database, { readonly find: (key: string) => Effect.Effect<string> }>()(
  "app/Database"
) {
  static readonly layer = Layer.effect(
    Database,
    Effect.as(Effect.addFinalizer(() => Effect.void), { find: (key) => Effect.succeed(`row ${key}`) })
  )
}

class Feed extends Context.Service<Feed, { readonly latest: Effect.Effect<string> }>()("app/Feed") {
  static readonly layer = Layer.effect(
    Feed,
    Effect.gen(function*() {
      const { find } = yield* Database
      // a goodbye that is never answered: without `stopsClean`, the suite waits for vitest's own limit, and names no layer
      yield* Effect.addFinalizer(() => process.env.LEAKS === "yes" ? Effect.never : Effect.void)
      return { latest: find("7") }
    })
  ).pipe(Layer.provide(Database.layer))
}

// in place of `it.layer(Feed.layer)`
it.layer(stopsClean(Feed.layer, { releaseTimeout: "200ms" }))("the feed", (it) => {
  it.effect("has the latest row", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Feed.use(({ latest }) => latest), "row 7")
    }))
})
