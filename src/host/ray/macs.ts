/** Proves and compares what both ends of a connection know. It runs in a guard, too, without Effect. */
import { createHmac, timingSafeEqual } from "node:crypto"

/** The parts of a proof are texts of the other end; what is none is never proved. */
export const mac = (key: Uint8Array, ...parts: ReadonlyArray<unknown>): string | undefined =>
  parts.every((part) => typeof part === "string")
    ? createHmac("sha256", key).update(parts.join("\n")).digest("hex")
    : undefined

export const same = (one: unknown, other: string | undefined): boolean => {
  if (typeof one !== "string" || other === undefined) return false
  // a character may be several bytes
  const [given, expected] = [Buffer.from(one), Buffer.from(other)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}
