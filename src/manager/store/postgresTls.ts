/** TLS to PostgreSQL, as the `sslmode` of a URL asks for it. The modes mean what libpq documents. */
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import { homedir } from "node:os"
import { join } from "node:path"
import type { ConnectionOptions } from "node:tls"
import { messageOf } from "../../base/errorText.ts"
import { readSecretFile } from "../privateFiles.ts"

/** The use of TLS by the connections of a pool. */
export type PostgresTls =
  | { readonly _tag: "Never" }
  /** Connections are encrypted if the server has TLS. */
  | { readonly _tag: "Preferred"; readonly options: ConnectionOptions }
  | { readonly _tag: "Always"; readonly options: ConnectionOptions }
  | { readonly _tag: "Refused"; readonly fault: string }

const modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

/** The parameters that libpq has for the same purpose, with the values that change nothing here. All others are refused. */
const withoutEffect: Readonly<Record<string, ReadonlyArray<string>>> = {
  channel_binding: ["disable", "prefer"],
  gssencmode: ["disable", "prefer"],
  require_auth: [],
  sslcrldir: [],
  sslnegotiation: ["postgres"],
  ssl_min_protocol_version: ["TLSv1", "TLSv1.1", "TLSv1.2"]
}

/** Reads what the URL says about TLS, and the files that it names. */
export const readTls = ({ hostname, searchParams }: URL): PostgresTls => {
  const parameter = (name: string) => searchParams.get(name) ?? ""
  for (const [name, allowed] of Object.entries(withoutEffect)) {
    const value = searchParams.get(name)
    if (value === null || allowed.includes(value)) continue
    const expected = allowed.length === 0 ? "none" : allowed.map((one) => `"${one}"`).join(" or ")
    return refused(`${name} is "${value}", which the driver does not offer; expected ${expected}`)
  }
  const mode = parameter("sslmode") || (parameter("ssl") === "true" ? "require" : "prefer")
  if (!modes.includes(mode)) return refused(`sslmode is "${mode}"; expected ${modes.join(", ")}`)
  // a Unix socket has no TLS
  if (mode === "disable" || (parameter("host") || decodeURIComponent(hostname)).startsWith("/")) {
    return { _tag: "Never" }
  }
  try {
    return tlsOf(mode, parameter)
  } catch (error) {
    return refused(messageOf(error))
  }
}

const tlsOf = (mode: string, parameter: (name: string) => string): PostgresTls => {
  const root = rootOf(parameter("sslrootcert"))
  const options: ConnectionOptions = { ...clientOf(parameter), ...crlOf(parameter("sslcrl")) }
  if (mode === "verify-full" && root !== undefined) return { _tag: "Always", options: { ...options, ...root.options } }
  if (root?.isSystem === true) {
    return refused(`sslrootcert is "system"; expected sslmode "verify-full" with it, not "${mode}"`)
  }
  // libpq treats `require` with a root certificate as `verify-ca`
  if (root !== undefined && (mode === "require" || mode === "verify-ca")) {
    return { _tag: "Always", options: { ...options, ...root.options, checkServerIdentity: () => undefined } }
  }
  if (mode.startsWith("verify")) {
    return refused(
      `sslmode is "${mode}", and there is no root certificate: name its file with sslrootcert, put it at ${defaultRoot()}, ` +
        "or use sslrootcert=system with sslmode=verify-full"
    )
  }
  const unverified = { ...options, rejectUnauthorized: false }
  return { _tag: mode === "require" ? "Always" : "Preferred", options: unverified }
}

const refused = (fault: string): PostgresTls => ({ _tag: "Refused", fault })

const defaultRoot = (): string => join(homedir(), ".postgresql", "root.crt")

/** Returns the certificates to trust, or `undefined` if none are given. */
const rootOf = (given: string) => {
  if (given === "system") return { isSystem: true, options: {} }
  if (given === "" && !existsSync(defaultRoot())) return undefined
  return { isSystem: false, options: { ca: readPem("sslrootcert", given || defaultRoot()) } }
}

const crlOf = (file: string) => file === "" ? {} : { crl: readPem("sslcrl", file) }

/** Returns the certificate of this client. */
const clientOf = (parameter: (name: string) => string): ConnectionOptions => {
  const [cert, key] = [parameter("sslcert"), parameter("sslkey")]
  if (cert === "" && key === "") return {}
  if (cert === "" || key === "") throw new Error("sslcert and sslkey belong together; expected both or none")
  const secret = readSecretFile(key)
  if (secret._tag !== "Text") throw new Error(`sslkey ${key} ${secret.fault}`)
  const passphrase = parameter("sslpassword")
  return { cert: readPem("sslcert", cert), key: secret.text, ...(passphrase === "" ? {} : { passphrase }) }
}

const readPem = (name: string, file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    throw new Error(`${name} ${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** The limit for the answer of a server to the question whether it has TLS. */
const answerMs = 5_000
/** The message with which a client asks for TLS. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/**
 * Returns false if the server says that it has no TLS. One that does not answer is taken to have it: then nothing is sent in the
 * clear, and the connections that follow say what is wrong.
 */
export const offersTls = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    // the driver refuses such a port
    if (!(port > 0 && port < 65_536)) return resume(Effect.succeed(true))
    const socket = connect({ host, port })
    const end = (hasTls: boolean) => {
      socket.destroy()
      resume(Effect.succeed(hasTls))
    }
    socket.setTimeout(answerMs, () => end(true))
    socket.once("connect", () => socket.write(sslRequest))
    socket.once("data", (answer: Buffer) => end(answer.toString("latin1") !== "N"))
    socket.once("error", () => end(true))
    socket.once("close", () => end(true))
    return Effect.sync(() => void socket.destroy())
  })
