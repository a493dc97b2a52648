// Runs SQL in a database, in a process and a session of its own: `node query.ts URL SQL`
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"

const [url = "", sql = ""] = process.argv.slice(2)

const statements = sql.split(";").filter((statement) => statement.trim() !== "")

const query = Effect.flatMap(SqlClient, (client) => Effect.forEach(statements, (statement) => client.unsafe(statement)))

await Effect.runPromise(query.pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url) }))))
