// Reads flights from a JSON file: one array of objects, small enough to be read at once.
import { Effect, FileSystem, type PlatformError, Schema, SchemaGetter, Stream } from "effect"
import { Flight } from "./Flight.ts"

const chunkSize = 1_000

export const readJson = (
  path: string
): Stream.Stream<Flight, PlatformError.PlatformError | Schema.SchemaError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(path)).pipe(
    Effect.flatMap((text) => decodeFlights(text)),
    Effect.map((flights) => Stream.fromIterable(flights, { chunkSize })),
    Stream.unwrap
  )

/** Its dates are written with slashes. */
const SlashedDate = Schema.String.pipe(Schema.decodeTo(Flight.fields.date, {
  decode: SchemaGetter.transform((date: string) => date.replaceAll("/", "-")),
  encode: SchemaGetter.transform((date: string) => date.replaceAll("-", "/"))
}))

const decodeFlights = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ ...Flight.fields, date: SlashedDate })))
)
