// A service that loads the airports when it starts, and finds them by their code.
import { Service } from "autostop"
import { Context, Effect, FileSystem, Schema, Stream } from "effect"
import * as Csv from "effect/encoding/Csv"
import { dataset } from "./datasets.ts"
import { Airport, type EnrichedFlight, type Flight } from "./Flight.ts"

/** A flight from or to an airport that is not in the list. */
export class UnknownAirport extends Schema.TaggedError<UnknownAirport>()("UnknownAirport", {
  iata: Schema.String,
  message: Schema.String
}) {}

export class Airports extends Context.Service<Airports, {
  /** Adds the airports of origin and destination. */
  readonly enrich: (flight: Flight) => Effect.Effect<EnrichedFlight, UnknownAirport>
}>()("flights/Airports") {
  static readonly layer = Service.layer(
    Airports,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const airports = yield* fs.stream(dataset("airports.csv")).pipe(
        Stream.pipeThroughChannel(Csv.decodeSchema(Airport)({ headers: true })),
        Stream.runFold(() => new Map<string, Airport>(), (all, airport) => all.set(airport.iata, airport))
      )
      return Airports.of({
        enrich: (flight) => {
          const from = airports.get(flight.origin)
          const to = airports.get(flight.destination)
          if (from === undefined) return unknownAirport(flight.origin)
          if (to === undefined) return unknownAirport(flight.destination)
          return Effect.succeed({ flight, from, to })
        }
      })
    })
  )
}

const unknownAirport = (iata: string): Effect.Effect<never, UnknownAirport> =>
  Effect.fail(new UnknownAirport({ iata, message: `the airport ${iata} is not in airports.csv` }))
