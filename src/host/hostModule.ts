import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { fileURLToPath, pathToFileURL } from "node:url"
import { messageOf } from "../base/errorText.ts"
import { propertyOf } from "../base/valueText.ts"
import type { Contract } from "./contract.ts"

export const ServedTypeId = "~autostop/Host/Served"

/** The export of a module that a host can load: the contract, and a layer with a handler for each of its requests. */
export interface Served {
  readonly [ServedTypeId]: typeof ServedTypeId
  readonly contract: Contract
  readonly layer: Layer.Layer<never, unknown>
}

const isServed = (u: unknown): u is Served => propertyOf(u, ServedTypeId) === ServedTypeId

/** The service that a caller expects of a module. */
export interface ExpectedService {
  /** The key of its tag. */
  readonly service: string
  readonly version: string
  readonly fingerprint: string
  /** A URL, or a path that begins with `./` and is relative to the working directory of the host. */
  readonly module: string
}

/** Loads what a module serves, and checks that its caller expects the same. Fails with a message for people. */
export const loadServed = Effect.fnUntraced(function*(expected: ExpectedService): Effect.fn.Return<Served, string> {
  const url = expected.module.startsWith("./")
    ? new URL(expected.module, pathToFileURL(`${process.cwd()}/`)).href
    : expected.module
  const path = url.startsWith("file:") ? fileURLToPath(url) : url
  const exports = yield* Effect.tryPromise({
    try: (): Promise<Record<string, unknown>> => import(url),
    catch: (error) => `the module ${path} could not be loaded: ${messageOf(error)}`
  })
  const served = [exports["default"], ...Object.values(exports)]
    .filter(isServed)
    .find(({ contract }) => contract.name === expected.service)
  if (served === undefined) {
    return yield* Effect.fail(
      `the module ${path} does not serve "${expected.service}"; expected "export default Host.serve(…)"`
    )
  }
  const { fingerprint, version } = served.contract
  if (fingerprint !== expected.fingerprint || version !== expected.version) {
    return yield* Effect.fail(
      `the contract of "${expected.service}" differs: its caller has version ${expected.version} ` +
        `(${expected.fingerprint}), the module ${path} serves version ${version} (${fingerprint})`
    )
  }
  return served
})
