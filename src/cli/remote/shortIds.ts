/** Ids of jobs as people see and give them. */
import * as Effect from "effect/Effect"
import type { Client } from "../../manager/client/apiClient.ts"
import { Refusal } from "../refusal.ts"

/** The number of characters that are shown of a random id. */
const shown = 8

const isRandom = (id: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/.test(id)

/** Returns true for a text that can be the beginning of a random id, and is as long as a table shows it. */
const isShortened = (text: string): boolean => /^[0-9a-f]{8}[0-9a-f-]{0,27}$/.test(text)

/**
 * Returns a function that shortens the ids of these jobs for people. It returns the beginning of a random id, if no
 * other job's id has the same one, and any other id as it is.
 */
export const shortIds = (jobs: ReadonlyArray<{ readonly id: string }>): (id: string) => string => {
  const beginning = (id: string) => id.slice(0, shown)
  const alike = Map.groupBy(jobs, ({ id }) => beginning(id))
  return (id) => isRandom(id) && alike.get(beginning(id))?.length === 1 ? beginning(id) : id
}

/**
 * Returns the whole id of the job that a person means. Only a random id may be shortened: the job of an id like
 * `backup-1` may be gone, and `backup-10` is another one.
 */
export const wholeId = Effect.fnUntraced(function*(client: Client, given: string) {
  if (!isShortened(given)) return given
  const ids = (yield* client.jobs.list({ query: { prefix: given, limit: 1_000 } })).map(({ id }) => id)
  const random = ids.filter(isRandom)
  if (ids.includes(given) || random.length === 0) return given
  const [id = given, ...others] = random
  if (others.length === 0) return id
  return yield* new Refusal({
    message: `several jobs have an id that begins with ${given}: give one of ${someOf(random)}`
  })
})

/** Uses the job that a person means. If there is none, the error names the ids that begin alike. */
export const withJob = <A, E, R>(client: Client, given: string, use: (id: string) => Effect.Effect<A, E, R>) =>
  Effect.catch(
    Effect.flatMap(wholeId(client, given), use),
    (error) => Effect.flatMap(namedAlike(client, given, error), Effect.fail)
  )

const namedAlike = <E>(client: Client, given: string, error: E): Effect.Effect<E | Refusal> => {
  if (!isNotFound(error)) return Effect.succeed(error)
  return Effect.match(client.jobs.list({ query: { prefix: given, limit: 10 } }), {
    onFailure: () => error,
    onSuccess: (jobs) =>
      jobs.length === 0
        ? error
        : new Refusal({ message: `${error.message}; ids that begin with it: ${someOf(jobs.map(({ id }) => id))}` })
  })
}

const isNotFound = (error: unknown): error is { readonly message: string } =>
  error instanceof Error && "_tag" in error && error._tag === "NotFound"

const someOf = (ids: ReadonlyArray<string>): string =>
  ids.length > 5 ? `${ids.slice(0, 5).join(", ")}, …` : ids.join(", ")
