/** The SQL of conditions for jobs. */
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import type { JobConditions } from "../JobStore.ts"

/** Returns the conditions as SQL, or `undefined` if no job that can be stored meets them. */
export const whereOf = (sql: SqlClient, conditions: JobConditions): ReadonlyArray<Fragment> | undefined => {
  const { clean, job, outcome, prefix, since, state, text, trigger } = conditions
  // PostgreSQL has no text with this character, and so no job has such a name
  if (job?.includes("\0") || text?.includes("\0")) return undefined
  if (prefix !== undefined && !/^[A-Za-z0-9_-]*$/.test(prefix)) return undefined
  return [
    ...(state === undefined ? [] : [sql`state = ${state}`]),
    ...(job === undefined ? [] : [sql`job = ${job}`]),
    ...(outcome === undefined ? [] : [sql`outcome = ${outcome}`]),
    // it is no parameter, so that the index of the unclean jobs is used
    ...(clean === undefined ? [] : [sql`clean = ${sql.literal(clean ? "1" : "0")}`]),
    ...(trigger === undefined ? [] : [sql`stop_trigger = ${trigger}`]),
    ...(since === undefined ? [] : [sql`submitted_at >= ${since}`]),
    ...(text === undefined || text === "" ? [] : [has(sql, text)]),
    // `~` sorts after all characters that an id may have
    ...(prefix === undefined ? [] : [sql`id >= ${prefix} AND id < ${`${prefix}~`}`])
  ]
}

const has = (sql: SqlClient, text: string): Fragment => {
  const place = sql.literal(sql.onDialectOrElse({ pg: () => "strpos", orElse: () => "instr" }))
  // both databases know no other letters than those of ASCII here
  const lower = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return sql`(${place}(lower(id), ${lower}) > 0 OR ${place}(lower(job), ${lower}) > 0)`
}
