// The SQL of the warehouse.
import { Array as Arr, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import type { Airport, EnrichedFlight, RankedRoute, Ranking } from "./Flight.ts"

type Sql = SqlClient.SqlClient

const tables = [
  `CREATE TABLE warehouse.flights (
    date TEXT NOT NULL, delay INTEGER NOT NULL, distance INTEGER NOT NULL,
    origin TEXT NOT NULL, origin_city TEXT NOT NULL, destination TEXT NOT NULL, destination_city TEXT NOT NULL
  )`,
  `CREATE TABLE warehouse.routes (
    origin TEXT NOT NULL, destination TEXT NOT NULL,
    flights INTEGER NOT NULL, delay INTEGER NOT NULL, mean_delay REAL AS (1.0 * delay / flights),
    PRIMARY KEY (origin, destination)
  ) WITHOUT ROWID`,
  `CREATE TABLE warehouse.airports (
    iata TEXT PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, state TEXT NOT NULL,
    departures INTEGER NOT NULL DEFAULT 0, arrivals INTEGER NOT NULL DEFAULT 0,
    delay INTEGER NOT NULL DEFAULT 0, mean_delay REAL AS (1.0 * delay / departures)
  ) WITHOUT ROWID`
]

/** Attaches a new file as the schema `warehouse` and makes its tables. */
export const attach = Effect.fnUntraced(function*(sql: Sql, database: string) {
  yield* sql`ATTACH DATABASE ${database} AS warehouse`
  // a commit appends to the log, which a crash of the process cannot tear
  yield* sql`PRAGMA warehouse.journal_mode = WAL`
  yield* sql`PRAGMA warehouse.synchronous = NORMAL`
  for (const table of tables) yield* sql.unsafe(table)
})

/** Adds flights, new airports, and both to the totals. Call it in a transaction. */
export const insert = Effect.fnUntraced(function*(
  sql: Sql,
  flights: Arr.NonEmptyReadonlyArray<EnrichedFlight>,
  airports: ReadonlyArray<Airport>
) {
  const [{ last } = { last: 0 }] = yield* sql<{ last: number }>`SELECT coalesce(max(rowid), 0) AS last FROM flights`
  yield* sql`INSERT INTO flights ${sql.insert(Arr.map(flights, rowOf))}`
  if (Arr.isReadonlyArrayNonEmpty(airports)) {
    yield* sql`INSERT INTO airports ${
      sql.insert(Arr.map(airports, ({ iata, name, city, state }) => ({ iata, name, city, state })))
    }`
  }
  yield* sql`
    INSERT INTO routes (origin, destination, flights, delay)
    SELECT origin, destination, count(*), sum(delay) FROM flights WHERE rowid > ${last} GROUP BY origin, destination
    ON CONFLICT DO UPDATE SET flights = flights + excluded.flights, delay = delay + excluded.delay`
  yield* sql`
    UPDATE airports SET departures = departures + batch.flights, delay = airports.delay + batch.delay
    FROM (
      SELECT origin, count(*) AS flights, sum(delay) AS delay FROM flights WHERE rowid > ${last} GROUP BY origin
    ) AS batch
    WHERE iata = batch.origin`
  yield* sql`
    UPDATE airports SET arrivals = arrivals + batch.flights
    FROM (SELECT destination, count(*) AS flights FROM flights WHERE rowid > ${last} GROUP BY destination) AS batch
    WHERE iata = batch.destination`
})

const rowOf = ({ flight, from, to }: EnrichedFlight) => ({
  date: flight.date,
  delay: flight.delay,
  distance: flight.distance,
  origin: flight.origin,
  origin_city: `${from.city}, ${from.state}`,
  destination: flight.destination,
  destination_city: `${to.city}, ${to.state}`
})

/** Counts the flights, and ranks the routes with at least `minFlights` flights by their mean delay. */
export const summarise = Effect.fnUntraced(function*(sql: Sql, minFlights: number) {
  const [counts] = yield* sql<{ flights: number; routes: number; airports: number }>`
    SELECT coalesce(sum(flights), 0) AS flights, count(*) AS routes, (SELECT count(*) FROM airports) AS airports
    FROM routes`
  const worstRoutes = yield* sql<Omit<RankedRoute, "delays"> & { readonly delays: string }>`
    WITH worst AS (
      SELECT
        origin, a.city || ', ' || a.state AS originCity, destination, b.city || ', ' || b.state AS destinationCity,
        flights, r.mean_delay AS meanDelay
      FROM routes r JOIN airports a ON a.iata = origin JOIN airports b ON b.iata = destination
      WHERE flights >= ${minFlights} ORDER BY r.mean_delay DESC LIMIT 10
    ), sample AS (
      SELECT origin, destination, json_group_array(delay ORDER BY delay) AS delays
      FROM flights WHERE (origin, destination) IN (SELECT origin, destination FROM worst) GROUP BY origin, destination
    )
    SELECT * FROM worst JOIN sample USING (origin, destination) ORDER BY meanDelay DESC`
  return {
    flights: 0,
    routes: 0,
    airports: 0,
    ...counts,
    worstRoutes: worstRoutes.map(({ delays, ...route }) => Object.assign(route, { delays: decodeDelays(delays) }))
  } satisfies Ranking
})

const decodeDelays = Schema.decodeSync(Schema.fromJsonString(Schema.NonEmptyArray(Schema.Int)))
