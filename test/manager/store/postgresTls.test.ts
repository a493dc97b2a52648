import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { openStore } from "../../../src/manager/store/openStore.ts"
import { layer } from "../../../src/manager/store/postgres.ts"
import { readTls } from "../../../src/manager/store/postgresTls.ts"
import { hostCertificate, rootCertificate } from "../../support/certificates.ts"
import { type Postgres, startPostgres } from "../../support/postgres.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-tls-"))
const pem = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
const root = rootCertificate("a root of tests")
const rootFile = pem("root.crt", root.cert)
const otherFile = pem("other.crt", rootCertificate("another root").cert)
const keyFile = pem("client.key", root.key)

let secure: Postgres
let plain: Postgres
/** A home without certificates: a user may have some. */
const home = process.env["HOME"]
beforeAll(async () => {
  process.env["HOME"] = folder
  secure = await startPostgres({ certificate: hostCertificate(root, "a root of tests", ["localhost"]) })
  plain = await startPostgres()
})
afterAll(async () => {
  process.env["HOME"] = home
  await secure.stop()
  await plain.stop()
  rmSync(folder, { recursive: true, force: true })
})

const urlOf = (server: Postgres, host: string, query: string): URL => {
  const url = new URL(`${server.url("postgres")}${query}`)
  url.hostname = host
  return url
}

/** Returns true if a connection of the store's driver is encrypted, as the server sees it. */
const isEncrypted = (url: URL) =>
  Effect.gen(function*() {
    const tls = readTls(url)
    if (tls._tag === "Refused") return assert.fail(tls.fault)
    return yield* Effect.gen(function*() {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ ssl: boolean }>`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`
      return row?.ssl
    }).pipe(Effect.provide(layer(url, tls), { local: true }))
  })

/** Returns why a store cannot be opened. */
const refusal = (url: URL) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(openStore(url.href)))), ({ message }) => message)

describe("TLS to PostgreSQL", () => {
  const cases: ReadonlyArray<readonly [query: string, host: string, encrypted: boolean]> = [
    ["", "127.0.0.1", true],
    ["?sslmode=disable", "127.0.0.1", false],
    ["?sslmode=allow", "127.0.0.1", true],
    ["?sslmode=prefer", "127.0.0.1", true],
    ["?sslmode=require", "127.0.0.1", true],
    ["?ssl=true", "127.0.0.1", true],
    [`?sslmode=require&sslrootcert=${rootFile}`, "127.0.0.1", true],
    [`?sslmode=verify-ca&sslrootcert=${rootFile}`, "127.0.0.1", true],
    [`?sslmode=verify-full&sslrootcert=${rootFile}`, "localhost", true]
  ]
  for (const [query, host, encrypted] of cases) {
    it.live(`is ${encrypted ? "used" : "not used"} with ${query.replaceAll(folder, "") || "no sslmode"} at ${host}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* isEncrypted(urlOf(secure, host, query)), encrypted)
      }))
  }

  for (const query of ["", "?sslmode=prefer", "?sslmode=disable"]) {
    it.live(`is not used with ${query || "no sslmode"} if the server has none`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* isEncrypted(urlOf(plain, "127.0.0.1", query)), false)
      }))
  }

  const refusals: ReadonlyArray<readonly [query: string, host: string, message: RegExp]> = [
    [
      `?sslmode=require&sslrootcert=${otherFile}`,
      "localhost",
      /certificate that is not trusted: give the file of its root/
    ],
    [`?sslmode=verify-ca&sslrootcert=${otherFile}`, "localhost", /certificate that is not trusted/],
    [`?sslmode=verify-full&sslrootcert=${otherFile}`, "localhost", /certificate that is not trusted/],
    ["?sslmode=verify-full&sslrootcert=system", "localhost", /certificate that is not trusted/],
    [
      `?sslmode=verify-full&sslrootcert=${rootFile}`,
      "127.0.0.1",
      /certificate for another host: use the name that it is for/
    ],
    ["?sslmode=verify-ca", "localhost", /sslmode is "verify-ca", and there is no root certificate: name its file/],
    ["?sslmode=verify-full", "localhost", /sslmode is "verify-full", and there is no root certificate/],
    ["?sslmode=require&sslrootcert=system", "localhost", /expected sslmode "verify-full" with it, not "require"/],
    [
      "?sslmode=requires",
      "localhost",
      /sslmode is "requires"; expected disable, allow, prefer, require, verify-ca, verify-full/
    ],
    ["?sslmode=require&sslrootcert=/none", "localhost", /sslrootcert \/none cannot be read: ENOENT/],
    [
      "?channel_binding=require",
      "localhost",
      /channel_binding is "require", which the driver does not offer; expected "disable" or/
    ],
    ["?require_auth=scram-sha-256", "localhost", /require_auth is "scram-sha-256", which the driver does not offer/],
    [`?sslmode=require&sslkey=${keyFile}`, "localhost", /sslcert and sslkey belong together/]
  ]
  for (const [query, host, message] of refusals) {
    it.live(`is refused with ${query.replaceAll(folder, "")} at ${host}`, () =>
      Effect.gen(function*() {
        const text = yield* refusal(urlOf(secure, host, query))
        assert.match(text, message)
        assert.notInclude(text, "p@ss")
      }))
  }

  it.live("is refused if it is required and the server has none", () =>
    Effect.gen(function*() {
      assert.match(
        yield* refusal(urlOf(plain, "127.0.0.1", "?sslmode=require")),
        /has no TLS, which sslmode requires: set it up there, or use sslmode=disable/
      )
    }))

  it.live("takes the root certificate of the user if none is given", () =>
    Effect.gen(function*() {
      const own = join(folder, ".postgresql")
      mkdirSync(own)
      writeFileSync(join(own, "root.crt"), root.cert)
      yield* Effect.gen(function*() {
        assert.isTrue(yield* isEncrypted(urlOf(secure, "localhost", "?sslmode=verify-full")))
        writeFileSync(join(own, "root.crt"), rootCertificate("another one").cert)
        assert.match(yield* refusal(urlOf(secure, "localhost", "?sslmode=require")), /certificate that is not trusted/)
        // what is only preferred is not verified
        assert.isTrue(yield* isEncrypted(urlOf(secure, "localhost", "")))
      }).pipe(Effect.ensuring(Effect.sync(() => rmSync(own, { recursive: true }))))
    }))

  it.live("refuses a key of a client that others may read", () =>
    Effect.gen(function*() {
      chmodSync(keyFile, 0o644)
      assert.match(
        yield* refusal(urlOf(secure, "localhost", `?sslmode=require&sslcert=${rootFile}&sslkey=${keyFile}`)),
        /sslkey \S+ can be read by others \(mode 0644\): run chmod 600 on it/
      )
    }))

  it.live("is there for a whole store", () =>
    Effect.gen(function*() {
      const url = new URL(`${secure.fresh()}?sslmode=verify-full&sslrootcert=${rootFile}`)
      url.hostname = "localhost"
      const counts = yield* Effect.provide(Effect.flatMap(JobStore, (store) => store.counts), openStore(url.href))
      assert.strictEqual(counts.queued, 0)
    }))
})
