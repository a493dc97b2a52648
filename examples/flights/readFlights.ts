// The source of the job. Each reader emits small chunks, because a drain ends between two chunks.
import { type FileSystem, Schema, Stream } from "effect"
import type { Flight } from "./Flight.ts"
import { readJson } from "./json.ts"
import { readParquet } from "./parquet.ts"

export const Format = Schema.Literals(["json", "parquet"])
export type Format = typeof Format.Type

/** A file cannot be read, or has something else than flights in it. */
export class BadInput extends Schema.TaggedError<BadInput>()("BadInput", {
  path: Schema.String,
  format: Format,
  message: Schema.String
}) {}

export const readFlights = (
  path: string,
  format: Format
): Stream.Stream<Flight, BadInput, FileSystem.FileSystem> => {
  const flights: Stream.Stream<Flight, { readonly message: string }, FileSystem.FileSystem> = format === "json"
    ? readJson(path)
    : readParquet(path)
  return Stream.mapError(
    flights,
    ({ message }) => new BadInput({ path, format, message: `${path}, read as ${format}: ${message}` })
  )
}
