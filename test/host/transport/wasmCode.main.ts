// Lets wrappers of WebAssembly die, after it has opened a thread of a host if its argument is "thread". V8 prints what it frees.
import * as Effect from "effect/Effect"
import { openThread } from "../../../src/host/transport/thread.ts"

if (process.argv[2] === "thread") await Effect.runPromise(openThread(() => {}).kill(60_000))

/** The part of the global object that is used; the types of Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new(bytes: Uint8Array) => object
  readonly Instance: new(module: object, imports: object) => { readonly exports: { readonly g: () => void } }
}

/** A module that imports the function `a.f`, and exports `g`, which calls it. */
// dprint-ignore
const bytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0,
  1, 4, 1, 96, 0, 0,
  2, 7, 1, 1, 97, 1, 102, 0, 0,
  3, 2, 1, 0,
  7, 5, 1, 1, 103, 0, 1,
  10, 6, 1, 4, 0, 16, 0, 11
])
const module = new WebAssembly.Module(bytes)
for (let round = 0; round < 20; round++) {
  const { g } = new WebAssembly.Instance(module, { a: { f: () => {} } }).exports
  for (let call = 0; call < 5; call++) g()
  await new Promise(setImmediate)
  globalThis.gc?.()
  await new Promise(setImmediate)
}
process.stdout.write("done\n")
