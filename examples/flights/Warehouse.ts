// A service over a SQL client: it writes a batch of flights and their totals in one transaction.
import { Service } from "autostop"
import { type Array as Arr, Context, Effect, FileSystem, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { dirname } from "node:path"
import type { Airport, EnrichedFlight, Ranking } from "./Flight.ts"
import * as NodeSqlite from "./NodeSqlite.ts"
import * as statements from "./statements.ts"

/** The database could not be written. */
export class WarehouseError extends Schema.TaggedError<WarehouseError>()("WarehouseError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {
  static of(cause: Error): WarehouseError {
    return new WarehouseError({ message: `the database could not be written: ${cause.message}`, cause })
  }
}

// Services start before the payload is known, which names the file: the client opens a database in memory, and the
// file is attached to it.
const sqlite = Service.manage("sqlite", NodeSqlite.layer(":memory:"))

export class Warehouse extends Context.Service<Warehouse, {
  /** Creates the database, in place of the one that was there. */
  readonly create: (database: string) => Effect.Effect<void, WarehouseError>
  /** Adds flights, and adds them to the totals of their routes and airports: all of them, or none. */
  readonly insert: (flights: Arr.NonEmptyReadonlyArray<EnrichedFlight>) => Effect.Effect<void, WarehouseError>
  /** Sums up the database. Routes with fewer than `minFlights` flights are not ranked. */
  readonly summarise: (minFlights: number) => Effect.Effect<Ranking, WarehouseError>
}>()("flights/Warehouse") {
  static readonly layer = Service.layer(
    Warehouse,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const sql = yield* SqlClient.SqlClient
      const known = new Set<Airport>()
      return Warehouse.of({
        create: (database) =>
          Effect.gen(function*() {
            yield* fs.makeDirectory(dirname(database), { recursive: true })
            for (const suffix of ["", "-wal", "-shm"]) yield* fs.remove(`${database}${suffix}`, { force: true })
            yield* statements.attach(sql, database)
          }).pipe(Effect.mapError(WarehouseError.of)),
        insert: (flights) =>
          Effect.gen(function*() {
            const airports = new Set(flights.flatMap(({ from, to }) => [from, to]))
            const added = [...airports].filter((airport) => !known.has(airport))
            yield* sql.withTransaction(statements.insert(sql, flights, added))
            for (const airport of added) known.add(airport)
          }).pipe(Effect.mapError(WarehouseError.of)),
        summarise: (minFlights) => statements.summarise(sql, minFlights).pipe(Effect.mapError(WarehouseError.of))
      })
    })
  ).pipe(Layer.provide(sqlite))
}
