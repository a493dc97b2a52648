import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { connect } from "node:net"
import { type Address, handshakeMs, KeyedConnection, type Role, secretOf } from "./keyedConnection.ts"
import { mac, same } from "./macs.ts"
import { RayError } from "./rayError.ts"

/**
 * Connects, and checks that the other end has the key. `take` gets the connection, and from then on has to close it: no
 * interrupt comes in between.
 */
export const dial = <A>(
  address: Address,
  key: Uint8Array,
  role: Role,
  take: (connection: KeyedConnection, secret: Uint8Array) => A
): Effect.Effect<A, RayError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const failed = (why: string) => RayError.of(`${address.host}:${address.port} ${why}`)
      const socket = connect(address)
      const { proof, connection } = handshake(socket, key, role, failed)
      return restore(Effect.timeoutOrElse(proof, {
        duration: Duration.millis(handshakeMs),
        orElse: () => Effect.fail(failed(`did not answer within ${handshakeMs} ms`))
      })).pipe(
        Effect.onError(() => Effect.sync(() => connection.close())),
        Effect.map((secret) => take(connection, secret))
      )
    })
  )

/** The client's side of the proof. */
const handshake = (
  socket: ReturnType<typeof connect>,
  key: Uint8Array,
  role: Role,
  failed: (why: string) => RayError
) => {
  let settle: (outcome: Effect.Effect<Uint8Array, RayError>) => void = () => {}
  const fail = (why: string) => settle(Effect.fail(failed(why)))
  const ownNonce = randomBytes(32).toString("hex")
  let theirNonce: unknown
  socket.once("error", (error) => fail(`could not be reached: ${error.message}`))
  socket.once("close", () => fail("closed the connection before it was made"))
  const connection = new KeyedConnection(socket, (message) => {
    if (theirNonce === undefined) {
      theirNonce = message["nonce"]
      if (typeof theirNonce !== "string") return fail("sent no challenge")
      return connection.say({ role, nonce: ownNonce, mac: mac(key, "client", role, theirNonce, ownNonce) })
    }
    const isProven = same(message["mac"], mac(key, "server", role, theirNonce, ownNonce))
    connection.hold()
    if (!isProven) return fail("does not have the key")
    const secret = secretOf(key, role, theirNonce, ownNonce)
    connection.protect(role, secret, "client")
    if (role !== "guard") return settle(Effect.succeed(secret))
    connection.socket.once("secure", () => settle(Effect.succeed(secret)))
    connection.closed.onOpen(() => fail("closed the connection before it was encrypted"))
  })
  const proof = Effect.callback<Uint8Array, RayError>((resume) => {
    settle = resume
  })
  return { connection, proof }
}
