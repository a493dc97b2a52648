import { parentPort, workerData } from "node:worker_threads"
import { countPrimes } from "./primes.ts"

const { times, to }: { readonly times: number; readonly to: number } = workerData
let sum = 0
for (let n = 0; n < times; n++) sum += countPrimes(to)
parentPort?.postMessage(sum, [])
