import { setFlagsFromString } from "node:v8"

/**
 * Makes V8 13.6, the one of Node 24, keep the compiled WebAssembly that nobody calls any more.
 *
 * All threads of a process share the wrappers with which WebAssembly calls JavaScript. That V8 may free one of them twice
 * while a thread begins to use it, which ends the process with SIGSEGV or SIGTRAP. Node strips types with WebAssembly, so a
 * thread that loads a `.ts` module is enough. What is kept is small: code of a module goes with the module, as before.
 */
export const keepWasmCode = (): void => {
  if (process.versions.v8.startsWith("13.6.")) setFlagsFromString("--no-wasm-code-gc")
}
