import * as Effect from "effect/Effect"
import type { Client } from "../../manager/client/apiClient.ts"
import { Refusal } from "../refusal.ts"
import { withJob } from "./shortIds.ts"

/** The number of requests under way at once. */
const requests = 16

/**
 * Uses each of the jobs that a person means, and returns what came of those that could be used. One that cannot be does not
 * keep the others. `finish` gets them before the command fails with what was wrong with the others.
 */
export const forEachJob = <A, E extends { readonly message: string; readonly _tag: string }, E2, R, R2>(
  client: Client,
  ids: ReadonlyArray<string>,
  use: (id: string) => Effect.Effect<A, E, R>,
  finish: (results: ReadonlyArray<A>) => Effect.Effect<void, E2, R2>
) =>
  Effect.gen(function*() {
    const results = yield* Effect.forEach(ids, (given) => Effect.result(withJob(client, given, use)), {
      concurrency: requests
    })
    yield* finish(results.flatMap((result) => result._tag === "Success" ? [result.success] : []))
    const errors = results.flatMap((result) => result._tag === "Failure" ? [result.failure] : [])
    const [error] = errors
    if (error === undefined) return
    const refused = errors.filter(({ _tag }) => _tag === "NotFound" || _tag === "Conflict" || _tag === "Refusal")
    return yield* refused.length < errors.length
      ? Effect.fail(error)
      : new Refusal({ message: refused.map(({ message }) => message).join("\n") })
  })
