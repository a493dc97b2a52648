/** Opens the store that a URL or a path names. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import { layer } from "./sqlStore.ts"

/**
 * Opens `postgres://user:password@host:5432/database`, or the path of an SQLite file with or without `sqlite:` before it.
 * The database is closed with the layer.
 */
export const openStore = (url: string): Layer.Layer<JobStore, StoreError> =>
  Layer.unwrap(/^postgres(ql)?:/i.test(url) ? postgres(url) : sqlite(url.replace(/^sqlite:/i, "")))

// each driver is imported on use, because most programs use one or none

const postgres = Effect.fnUntraced(function*(text: string) {
  const postgres = yield* Effect.promise(() => import("./postgres.ts"))
  const url = postgres.parse(text)
  if (url === undefined) {
    return yield* refused(
      "the store is no URL of a PostgreSQL database: write postgres://user:password@host:5432/database, with special " +
        "characters of the password percent-encoded"
    )
  }
  const { readTls } = yield* Effect.promise(() => import("./postgresTls.ts"))
  const tls = readTls(url)
  if (tls._tag === "Refused") {
    return yield* refused(`the URL of the store has a parameter that cannot be used: ${tls.fault}`)
  }
  return layer(postgres.database(url), postgres.layer(url, tls))
})

const sqlite = Effect.fnUntraced(function*(path: string) {
  if (path === "") return yield* refused("the store is empty: give the path of a file, or a postgres:// URL")
  if (path.startsWith(":memory:")) {
    return yield* refused("a store in memory would lose its jobs: give the path of a file")
  }
  // a scheme has at least two letters, because one letter is a drive of Windows
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(path)?.[0]
  if (scheme !== undefined) {
    return yield* refused(`a store in ${scheme} is not supported: give the path of a file, or a postgres:// URL`)
  }
  const sqlite = yield* Effect.promise(() => import("./sqlite.ts"))
  return layer(sqlite.database(path), sqlite.layer(path))
})

const refused = (message: string) => Effect.fail(new StoreError({ operation: "open", message }))
