// Moves the wall clock of a process: `--import=file:///…/shiftedClock.mjs?FILE`, with milliseconds in the file.
import { readFileSync } from "node:fs"

const file = decodeURIComponent(new URL(import.meta.url).search.slice(1))
const RealDate = globalThis.Date
/** The time between two looks into the file, in milliseconds. */
const lookMs = 10
let looked = -Infinity
let shift = 0

const now = () => {
  const at = performance.now()
  if (at >= looked + lookMs) {
    looked = at
    try {
      shift = Number(readFileSync(file, "utf8"))
    } catch {
      // the test has ended
    }
  }
  return RealDate.now() + shift
}

globalThis.Date = new Proxy(RealDate, {
  get: (target, key) => key === "now" ? now : Reflect.get(target, key),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget)
})
