/** Makes X.509 certificates for tests, so that they need no program of the machine. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

export interface Certificate {
  /** The certificate and its private key, as PEM. */
  readonly cert: string
  readonly key: string
}

/** Makes a certificate that signs itself, and may sign others. */
export const rootCertificate = (name: string): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  return certificate({ name, publicKey, privateKey, issuer: name, signer: privateKey, names: [], isRoot: true })
}

/** Makes a certificate for hosts, which a root signs. */
export const hostCertificate = (root: Certificate, issuer: string, names: ReadonlyArray<string>): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const signer = createPrivateKey(root.key)
  return certificate({ name: names[0] ?? "", publicKey, privateKey, issuer, signer, names, isRoot: false })
}

interface Content {
  readonly name: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly issuer: string
  readonly signer: KeyObject
  readonly names: ReadonlyArray<string>
  readonly isRoot: boolean
}

const certificate = ({ isRoot, issuer, name, names, privateKey, publicKey, signer }: Content): Certificate => {
  const algorithm = sequence(oid("2a8648ce3d040302"))
  const extensions = [
    sequence(oid("551d13"), der(0x01, bytes("ff")), der(0x04, sequence(...(isRoot ? [der(0x01, bytes("ff"))] : [])))),
    ...(isRoot
      ? []
      : [sequence(oid("551d11"), der(0x04, sequence(...names.map((name) => der(0x82, Buffer.from(name))))))])
  ]
  const content = sequence(
    der(0xa0, der(0x02, bytes("02"))),
    der(0x02, Buffer.concat([bytes("01"), randomBytes(8)])),
    algorithm,
    nameOf(issuer),
    sequence(time(-1), time(1)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions))
  )
  const signature = der(0x03, Buffer.concat([bytes("00"), sign("sha256", content, signer)]))
  const body = sequence(content, algorithm, signature).toString("base64").replace(/.{64}(?!$)/g, "$&\n")
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: "pkcs8", format: "pem" }))
  }
}

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")

/** A value of DER: its tag, its length and its content. */
const der = (tag: number, content: Buffer): Buffer => {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts: ReadonlyArray<Buffer>): Buffer => der(0x30, Buffer.concat(parts))
const oid = (hex: string): Buffer => der(0x06, bytes(hex))
const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))))

/** A time that is so many days from now. */
const time = (days: number): Buffer => {
  const digits = new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/\D/g, "")
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}
