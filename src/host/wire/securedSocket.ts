/**
 * TLS 1.3 between two ends that have proved a key to each other: what follows the proof can be neither read nor changed. Both
 * know a secret of this one connection, which takes the place of certificates. It runs in guards and hosts, too, without Effect.
 */
import type { Socket } from "node:net"
import { connect, createSecureContext, TLSSocket, type TLSSocketOptions } from "node:tls"

/** The end of a connection: the client is the one that has dialed. */
export type End = "client" | "server"

/** Both ends are of this package, so that nothing else has to be understood. */
const protocol = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ciphers: "TLS_AES_128_GCM_SHA256",
  // there are no certificates to trust
  ca: Array<string>()
} as const

const identity = "autostop"

/** The server's half needs no certificate, and so is the same for all connections. */
const serverContext = createSecureContext(protocol)

/** Returns the socket for what follows. It may be written to at once, and is closed if the other end does not have the secret. */
export const securedSocket = (socket: Socket, secret: Uint8Array, end: End): TLSSocket => {
  const secured = end === "client" ? client(socket, secret) : server(socket, secret)
  // those who use it see that it is closed
  for (const one of [socket, secured]) one.on("error", () => {})
  return secured
}

const client = (socket: Socket, secret: Uint8Array): TLSSocket =>
  connect({
    socket,
    ...protocol,
    pskCallback: () => ({ psk: secret, identity }),
    // a server with a certificate does not have the secret
    checkServerIdentity: () => new Error("the other end does not have the secret")
  })

const server = (socket: Socket, secret: Uint8Array): TLSSocket => {
  // the types of Node do not say that a socket takes the option of a server
  const options: TLSSocketOptions & { readonly pskCallback: (socket: unknown, given: string) => Uint8Array | null } = {
    isServer: true,
    secureContext: serverContext,
    pskCallback: (_, given) => given === identity ? secret : null
  }
  return new TLSSocket(socket, options)
}
