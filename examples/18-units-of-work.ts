// Lets work end where nothing flows: a drain waits for the units that run. Run it: `node examples/18-units-of-work.ts`, or
// `npx autostop run examples/18-units-of-work.ts` and press Ctrl-C
import { Environment, Job, LocalEnvironment, runMain } from "autostop"
import { Console, Effect, Latch, Random } from "effect"

/** Opens when the tenth image is begun. */
const busy = Latch.makeUnsafe()

let begun = 0
let done = 0

const resize = Effect.gen(function*() {
  if (++begun === 10) yield* busy.open
  yield* Effect.sleep(yield* Random.nextIntBetween(50, 150))
  done++
})

/** Four workers, each of which takes one image after the other, for ever. */
const job = Job.make("thumbnails", {
  run: () =>
    Effect.forever(Job.unit("image", resize)).pipe(
      Effect.replicateEffect(4, { concurrency: "unbounded", discard: true }),
      Effect.ensuring(Effect.suspend(() => Console.log(`${begun} begun, ${done} done`)))
    )
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job)
  yield* busy.await
  yield* run.stop({ reason: "ten images are enough" })
  const { report } = yield* run.result
  for (const { count, dropped = 0, kind, name } of report.stages) {
    yield* Console.log(`${kind} ${name}: ${count} done, ${dropped} cut off`)
  }
  yield* Console.log(`phases: ${report.phases.map(({ phase }) => phase).join(", ")}`)
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
