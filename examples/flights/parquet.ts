// Reads flights from a Parquet file. One row group at a time is in memory; its rows are made chunk by chunk.
import { Effect, Schema, Stream } from "effect"
import { asyncBufferFromFile, type ParquetRowRange, type ParquetScan, parquetScan } from "hyparquet"
import { zstdDecompressSync } from "node:zlib"
import { Flight } from "./Flight.ts"

const chunkSize = 1_000

class ParquetError extends Schema.TaggedError<ParquetError>()("ParquetError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}

export const readParquet = (path: string): Stream.Stream<Flight, ParquetError | Schema.SchemaError> =>
  Stream.unwrap(Effect.map(attempt(() => open(path)), (scan) =>
    Stream.fromIterable(scan.ranges, { chunkSize: 1 }).pipe(
      Stream.mapEffect((range) => attempt(() => readRows(scan, range))),
      Stream.flatMap((rows) => Stream.fromIterable(rows, { chunkSize })),
      Stream.mapArrayEffect((rows) => decodeRows(rows))
    )))

const decodeRows = Schema.decodeUnknownEffect(Schema.NonEmptyArray(Flight))

const attempt = <A>(read: () => Promise<A>): Effect.Effect<A, ParquetError> =>
  Effect.tryPromise({
    try: read,
    catch: (cause) => new ParquetError({ message: cause instanceof Error ? cause.message : String(cause), cause })
  })

const open = async (path: string): Promise<ParquetScan> =>
  parquetScan({
    file: await asyncBufferFromFile(path),
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    // text at once: the flights of one minute share it, and no Date is made for any of them
    parsers: { timestampFromMicroseconds: (micros) => minuteOf(Number(micros / 1_000n)) }
  })

const minuteOf = (millis: number): string => new Date(millis).toISOString().slice(0, 16).replace("T", " ")

/** The rows of a row group, not checked yet. */
const readRows = async (scan: ParquetScan, range: ParquetRowRange): Promise<Iterable<unknown>> => {
  const read = (column: string): Promise<ArrayLike<unknown>> => scan.readColumn({ column, ...range })
  const [date, delay, distance, origin, destination] = await Promise.all([
    read("date"),
    read("delay"),
    read("distance"),
    read("origin"),
    read("destination")
  ])
  return {
    *[Symbol.iterator]() {
      for (let i = 0; i < date.length; i++) {
        yield {
          date: date[i],
          delay: integer(delay[i]),
          distance: integer(distance[i]),
          origin: origin[i],
          destination: destination[i]
        }
      }
    }
  }
}

/** Columns of 64 bits are bigints. A null stays null, and the Schema refuses it. */
const integer = (value: unknown): unknown => typeof value === "bigint" ? Number(value) : value
