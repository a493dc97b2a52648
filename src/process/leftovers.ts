import * as Effect from "effect/Effect"
import { handlesSince, snapshot, watchWorkers } from "./activeHandles.ts"
import { leftoverOf } from "./endDescendants.ts"
import { ownProcesses } from "./ownedProcesses.ts"
import type { FindLeftovers, Leftover, Patience } from "./processContext.ts"

/** The handles and processes that this process opens and starts once this is made. */
export class Leftovers {
  readonly #before = snapshot()
  readonly #processes = ownProcesses()

  constructor() {
    watchWorkers()
  }

  /** Finds what does not go away within a few turns, and ends the processes. */
  readonly all: FindLeftovers = (patience) =>
    Effect.promise(async () => {
      const handles = await settled(() => this.handles())
      return [...await this.#end(patience), ...handles]
    })

  /** Finds and ends the processes alone, where the handles may be somebody else's. */
  readonly processes: FindLeftovers = (patience) => Effect.promise(() => this.#end(patience))

  /** The handles that are open now. */
  handles(): ReadonlyArray<Leftover> {
    return handlesSince(this.#before)
  }

  /** Kills the processes that are still there at the very end. */
  async kill(): Promise<ReadonlyArray<Leftover>> {
    return (await this.#processes.end({ limitMs: 0 })).map(leftoverOf)
  }

  async #end(patience: Patience): Promise<ReadonlyArray<Leftover>> {
    const found = await settled(this.#processes.find)
    return found.length === 0 ? [] : (await this.#processes.end(patience)).map(leftoverOf)
  }
}

/** Returns what is still there after a few turns: Node and the system report the end of some things later. */
const settled = async <A>(find: () => ReadonlyArray<A>): Promise<ReadonlyArray<A>> => {
  await new Promise((resolve) => setImmediate(resolve))
  let left = find()
  for (let turn = 0; left.length > 0 && turn < 10; turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn))
    left = find()
  }
  return left
}
