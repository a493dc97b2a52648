/** The entry point of a thread that checks a bundle. It runs without Effect. */
import { parentPort, workerData } from "node:worker_threads"
import { bundleFault, hashOf } from "./bundle.ts"
import type { CheckInput } from "./checkInThread.ts"

// safe: `checkInThread` gives that
const { content, hash } = workerData as CheckInput

const fault = (): string | undefined => {
  const actual = hashOf(content)
  if (actual !== hash) return `the SHA-256 of the content is ${actual}; expected ${hash}, which the address names`
  return bundleFault(Buffer.from(content).toString("utf8"))
}

parentPort?.postMessage(fault(), [])
