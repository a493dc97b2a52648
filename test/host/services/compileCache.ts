/**
 * Makes the hosts of the tests start fast and safely: they load TypeScript, whose types Node strips with WebAssembly in each
 * thread. V8 has crashed when several threads of a process did so at once, and the compile cache keeps the stripped code.
 */
import { tmpdir } from "node:os"
import { join } from "node:path"

process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "autostop-compile-cache")
