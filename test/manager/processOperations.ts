import { Random } from "../support/malformed.ts"
import { ProcessModel } from "./processModel.ts"

/** What may be done, and how often it is. What makes the manager start again takes longest. */
const shares = {
  submit: 6,
  "submit again": 2,
  stop: 4,
  delete: 1,
  force: 1,
  clean: 1,
  page: 2,
  follow: 4,
  "a moment": 3,
  "a job begins": 4,
  "client starts": 1,
  "client is killed": 1,
  "job is killed": 3,
  "manager is killed": 2,
  "manager is stopped": 1,
  "store is away": 1,
  "store is back": 1,
  "clock is moved": 2
} as const
type Kind = keyof typeof shares
// safe: these are its own keys
const kinds = (Object.keys(shares) as Array<Kind>).flatMap((kind) => Array<Kind>(shares[kind]).fill(kind))

/** An operation. The numbers say which job, and which of the ways to do it. */
export interface Operation {
  readonly do: Kind
  readonly job: number
  readonly way: number
  /** Whether the next operation waits for its answer. */
  readonly waits: boolean
}

const operationsOf = (seed: number, count: number): ReadonlyArray<Operation> => {
  const random = new Random(seed)
  return Array.from({ length: count }, () => ({
    do: kinds[random.below(kinds.length)] ?? "page",
    job: random.below(5),
    way: random.below(1_000),
    waits: !random.oneIn(3)
  }))
}

/** Applies operations, then lets everything end, and checks what must hold. */
const operate = async (operations: ReadonlyArray<Operation>): Promise<void> => {
  await using model = await ProcessModel.start()
  for (const operation of operations) await model.apply(operation)
  await model.end()
}

/** Returns the error of some operations, if they fail. */
const failureOf = (operations: ReadonlyArray<Operation>): Promise<unknown> =>
  operate(operations).then(() => undefined, (error: unknown) => error)

/** Leaves out operations, first many at once and then each, as long as what is left still fails. */
const shrink = async (operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Operation>> => {
  let least = operations
  for (let size = Math.ceil(operations.length / 2);; size = Math.ceil(size / 2)) {
    for (let at = 0; at < least.length;) {
      const less = least.toSpliced(at, size)
      if (await failureOf(less) === undefined) at += size
      else least = less
    }
    if (size === 1) return least
  }
}

/**
 * Applies so many random operations. If `OPERATIONS_SEED` has the seed of some that failed, it applies those, and looks for fewer
 * of them that fail: processes are never as fast twice, so they may have to be tried again.
 */
export const operateOnProcesses = async (count: number): Promise<void> => {
  const given = process.env["OPERATIONS_SEED"]
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  const operations = operationsOf(seed, count)
  // shown also if the test runs out of time
  console.log(`OPERATIONS_SEED=${seed}`)
  const error = await failureOf(operations)
  if (error === undefined) return
  const least = given === undefined ? operations : await shrink(operations)
  const what = least.map((operation) => JSON.stringify(operation)).join("\n")
  throw new Error(`OPERATIONS_SEED=${seed}, ${least.length} of ${count} operations:\n${what}\n${String(error)}`, {
    cause: error
  })
}
