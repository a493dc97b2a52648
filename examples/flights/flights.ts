// The job: flights from a file, enriched with their airports, into a SQLite database with totals.
//
//     autostop run examples/flights/flights.ts --payload '{"path":"node_modules/vega-datasets/data/flights-20k.json"}'
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Host, Job, Pipeline } from "autostop"
import { Effect, Layer, Metric, Schema, Stream } from "effect"
import { availableParallelism } from "node:os"
import { Airports, UnknownAirport } from "./Airports.ts"
import { Summary } from "./Flight.ts"
import { Intervals } from "./Intervals.ts"
import { BadInput, Format, readFlights } from "./readFlights.ts"
import { Warehouse, WarehouseError } from "./Warehouse.ts"

/** How many flights are written in one transaction. */
const batchSize = 1_000

/** Counts the flights that were written, for a view of the progress. */
export const written = Metric.counter("flights_written")

/** The service lives in this process. With AUTOSTOP_HOST=thread or process its replicas use all cores. */
const replicas = availableParallelism()
const intervals = Host.layer(Intervals, { replicas })

const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

export default Job.make("flights", {
  payload: {
    /** The file with the flights. */
    path: Schema.NonEmptyString,
    /** The SQLite file to write; one that is there is replaced. */
    database: withDefault(Schema.NonEmptyString, "out/flights.sqlite"),
    /** The format of the file with the flights. */
    format: withDefault(Format, "json"),
    /** How many flights a route needs to be ranked by its mean delay. */
    minFlights: withDefault(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), 20)
  },
  success: Summary,
  error: Schema.Union([BadInput, UnknownAirport, WarehouseError, Host.HostError]),
  services: Layer.mergeAll(Airports.layer, Warehouse.layer, intervals).pipe(Layer.provideMerge(NodeFileSystem.layer)),
  run: ({ database, format, minFlights, path }) =>
    Effect.gen(function*() {
      const airports = yield* Airports
      const intervals = yield* Intervals
      const warehouse = yield* Warehouse
      yield* warehouse.create(database)
      yield* readFlights(path, format).pipe(
        Pipeline.source("flights"),
        Pipeline.mapParallel(airports.enrich, { concurrency: 16, name: "enrich" }),
        Pipeline.stage("enriched"),
        Stream.grouped(batchSize),
        Stream.runForEach((batch) =>
          Effect.gen(function*() {
            yield* warehouse.insert(batch)
            yield* Metric.update(written, batch.length)
            // SQLite blocks this thread: between two batches, signals and timers get their turn
            yield* Effect.yieldNow
          })
        )
      )
      const ranking = yield* warehouse.summarise(minFlights)
      const worstRoutes = yield* Stream.fromIterable(ranking.worstRoutes).pipe(
        Pipeline.mapParallel(({ delays, ...route }) =>
          Effect.map(intervals.ofMean({ values: delays }), (interval) => ({ ...route, interval })), {
          concurrency: 2 * replicas,
          name: "intervals"
        }),
        Stream.runCollect
      )
      return { ...ranking, worstRoutes }
    })
})
