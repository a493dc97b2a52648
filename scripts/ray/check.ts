// Checks the Python part.
import { fileURLToPath } from "node:url"
import { environment, run } from "./environment.ts"

const host = fileURLToPath(new URL("../../src/host/ray/host.py", import.meta.url))
const native = fileURLToPath(new URL("../../bench/ray/native.py", import.meta.url))
const style = ["--line-length=120", "--target-version=py310"]

const bin = await environment()
await run(`${bin}/ruff`, "check", ...style, "--select=E,F,W,I,B,UP,SIM,RUF", host, native)
await run(`${bin}/ruff`, "format", ...style, "--diff", host, native)
await run(`${bin}/mypy`, "--strict", "--allow-untyped-calls", "--python-executable", `${bin}/python`, host, native)
