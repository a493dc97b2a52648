import * as Effect from "effect/Effect"
import type { LostTelemetry } from "../StopReport.ts"

export interface TelemetryOf<A> {
  /** The name of the program, for the collector. */
  readonly name: string
  /** Prints a line for people. */
  readonly say: (line: string) => void
  /** Returns the time that its stop has left, in milliseconds. */
  readonly leftMs: (result: A) => number
}

const asks = /^OTEL_(EXPORTER_OTLP_(\w+_)?ENDPOINT|(TRACES|METRICS|LOGS)_EXPORTER)$/

/** Returns true if a variable of OpenTelemetry asks for an export. */
export const isTelemetryOn = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== "true" &&
  Object.keys(env).some((name) => asks.test(name) && env[name]?.trim())

/** The result of a program, and what nobody has taken of its telemetry. */
export interface Observed<A> {
  readonly result: A
  readonly lost: ReadonlyArray<LostTelemetry>
}

/** Runs a program whose telemetry goes out if a variable asks for it, and waits for the rest of it as long as its stop may take. */
export const withTelemetry = <A, E, R>(
  { leftMs, name, say }: TelemetryOf<A>,
  program: Effect.Effect<A, E, R>
): Effect.Effect<Observed<A>, E, R> =>
  isTelemetryOn()
    ? Effect.gen(function*() {
      // this is loaded here, because most programs have no use for it
      const { openTelemetry } = yield* Effect.promise(() => import("./openTelemetry.ts"))
      const { close, context } = yield* openTelemetry({ name, say })
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(restore(Effect.provide(program, context)))
          const lost = yield* close(exit._tag === "Success" ? leftMs(exit.value) : Infinity)
          return { result: yield* exit, lost }
        })
      )
    })
    : Effect.map(program, (result) => ({ result, lost: [] }))
