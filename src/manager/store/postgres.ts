/** A pool of connections to PostgreSQL. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { causeCode, causeText, type Database } from "./database.ts"
import { lockDatabase } from "./postgresLock.ts"
import { offersTls, type PostgresTls } from "./postgresTls.ts"

/** Connects when a connection is needed, and again after one is lost. */
export const layer = (
  url: URL,
  tls: Exclude<PostgresTls, { readonly _tag: "Refused" }>
): Layer.Layer<SqlClient, SqlError> =>
  Layer.unwrap(Effect.gen(function*() {
    const { host, port } = addressOf(url)
    // what the server says at the start holds for all connections: later ones are never less protected
    const isEncrypted = tls._tag === "Always" || (tls._tag === "Preferred" && (yield* offersTls(host, Number(port))))
    return PgClient.layer({
      url: Redacted.make(url.href),
      ssl: isEncrypted && tls.options,
      applicationName: "autostop",
      keepAlive: "10 seconds"
    })
  }))

const addressOf = ({ hostname, port, searchParams }: URL) => ({
  host: searchParams.get("host") || decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1") || "localhost",
  port: searchParams.get("port") || port || "5432"
})

/**
 * Returns the URL of a database, or `undefined` for other text. A password with a `/`, `?` or `#` that is not encoded is
 * refused too, because parts of it would be read as a host or a database, and be shown.
 */
export const parse = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url === undefined || url.hash !== "" || `${url.pathname}${url.search}`.includes("@") ? undefined : url
}

export const database = (url: URL): Database => {
  const parameter = (name: string) => url.searchParams.get(name) ?? ""
  const user = parameter("user") || url.username
  const { host, port } = addressOf(url)
  const path = parameter("dbname") || url.pathname.slice(1)
  const name = `postgres://${user === "" ? "" : `${user}@`}${host}:${port}/${path}`
  return { kind: "PostgreSQL", name, advice: (error) => advice(name, error), lock: lockDatabase(name) }
}

const advice = (name: string, error: SqlError): string => {
  const code = causeCode(error)
  const text = causeText(error)
  if (text === noTlsText) {
    return `${name} has no TLS, which sslmode requires: set it up there, or use sslmode=disable`
  }
  const known = typeof code === "string"
    ? byCode[code] ?? byCode[code.slice(0, 3)] ?? byCode[code.slice(0, 2)]
    : undefined
  if (known !== undefined) return `${name} ${known} (${text})`
  switch (error.reason._tag) {
    case "AuthenticationError":
      return `${name} ${byCode["28"]} (${text})`
    case "ConnectionError":
      return `${name} cannot be reached, or was lost: check that the server runs, then try again (${text})`
    default:
      return `${name}: ${text}`
  }
}

/** The driver's message about a server without TLS, which has no code. */
const noTlsText = "The server does not support TLS"

const untrusted = "has a certificate that is not trusted: give the file of its root with sslrootcert"

/** Advice by the codes of Node and PostgreSQL. Two or three characters stand for all codes that begin with them. */
const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: "does not answer: start the server, or correct host and port",
  ENOTFOUND: "has a host that is not known: correct it",
  EAI_AGAIN: "has a host whose name cannot be looked up: correct it, or check the network",
  CERT_HAS_EXPIRED: "has a certificate that has expired: renew it there",
  CERT_REVOKED: "has a certificate that was revoked: renew it there",
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another host: use the name that it is for, or sslmode=verify-ca",
  "25006": "takes no writes: use the primary server",
  "28": "refuses this user or password: correct them in the URL, and check the server's pg_hba.conf",
  "3D": "has no such database: create it, or correct the name",
  "3F": "has no schema that this user may use: grant it USAGE and CREATE on one",
  "42501": "does not let this user do that: grant it CREATE on the schema, or the tables of autostop",
  "53100": "has a full disk: make room on the server, then try again",
  "53300": "has too many connections: end some, or raise max_connections",
  "55P03": "is locked by another session: end that, then try again",
  "57P": "is being stopped or started: try again once the server runs"
}
