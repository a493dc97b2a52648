// The elements of the pipeline, and the result of the job.
import { type Array as Arr, Schema } from "effect"

/** One flight as the data sets have it: local time as "2001-01-31 23:59", delay in minutes, distance in miles. */
export const Flight = Schema.Struct({
  date: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d \d\d:\d\d$/)),
  delay: Schema.Int,
  distance: Schema.Int,
  origin: Schema.NonEmptyString,
  destination: Schema.NonEmptyString
})
export type Flight = typeof Flight.Type

export const Airport = Schema.Struct({
  iata: Schema.NonEmptyString,
  name: Schema.String,
  city: Schema.String,
  state: Schema.String
})
export type Airport = typeof Airport.Type

/** A flight with the airports behind its two codes. */
export interface EnrichedFlight {
  readonly flight: Flight
  readonly from: Airport
  readonly to: Airport
}

export const Interval = Schema.Struct({ low: Schema.Finite, high: Schema.Finite })
export type Interval = typeof Interval.Type

export const Route = Schema.Struct({
  origin: Schema.String,
  originCity: Schema.String,
  destination: Schema.String,
  destinationCity: Schema.String,
  flights: Schema.Int,
  meanDelay: Schema.Finite,
  /** The interval in which the mean lies, given the number of flights. */
  interval: Interval
})
export type Route = typeof Route.Type

/** A route as the warehouse knows it. */
export interface RankedRoute extends Omit<Route, "interval"> {
  readonly delays: Arr.NonEmptyReadonlyArray<number>
}

/** The result of the job. `worstRoutes` are those with the longest mean delay, the worst first. */
export const Summary = Schema.Struct({
  flights: Schema.Int,
  routes: Schema.Int,
  airports: Schema.Int,
  worstRoutes: Schema.Array(Route)
})
export type Summary = typeof Summary.Type

/** The same, as the warehouse has it. */
export interface Ranking extends Omit<Summary, "worstRoutes"> {
  readonly worstRoutes: ReadonlyArray<RankedRoute>
}
