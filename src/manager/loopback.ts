import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"

/** Returns true if only this machine can reach the address. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === "localhost" ||
  Result.match(NetAddress.ipFromString(host.replace(/^\[(.*)\]$/, "$1")), {
    onFailure: () => false,
    onSuccess: NetAddress.isLoopback
  })
