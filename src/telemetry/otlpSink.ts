/** Exports what others than this program have made. */
import * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpResource from "effect/observability/OtlpResource"
import { OtlpSerialization } from "effect/observability/OtlpSerialization"

export interface SinkOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly compression: "gzip" | "none"
  readonly exportInterval: number
  readonly shutdownTimeout: number
  readonly resource: Parameters<typeof OtlpResource.make>[0]
}

/** What comes with the records of a batch. */
export interface BatchOf {
  readonly resource: OtlpResource.Resource
  readonly scope: { readonly name: string }
}

/** Returns what takes a record, and is flushed with its Scope. `body` encodes the records of one batch. */
export const makeSink = <A>(
  { resource, ...options }: SinkOptions,
  body: (serialization: OtlpSerialization["Service"], records: Array<A>, of: BatchOf) => HttpBody
) =>
  Effect.gen(function*() {
    const serialization = yield* OtlpSerialization
    const { push } = yield* OtlpExporter.make({
      ...options,
      label: "autostop",
      maxBatchSize: 1_000,
      body: (records: Array<A>) => [
        body(serialization, records, { resource: OtlpResource.make(resource), scope: { name: "autostop" } }),
        Effect.void
      ]
    })
    return push
  })
