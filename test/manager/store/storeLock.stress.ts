import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { databases, withStore } from "../../support/store.ts"

describe("a store", () => {
  const { postgres } = databases()
  const opened = (url: string) => withStore(url)(Effect.void)

  it.live("is locked again after PostgreSQL was restarted", () =>
    Effect.gen(function*() {
      const url = postgres().fresh()
      yield* withStore(url)(Effect.gen(function*() {
        yield* Effect.promise(postgres().crash)
        yield* Effect.promise(postgres().restart)
        // another manager has its chance until the first one notices, within 5 s
        yield* Effect.flip(opened(url)).pipe(Effect.eventually)
      }))
      yield* opened(url)
    }))
})
