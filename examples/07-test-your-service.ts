// Tests how a service stops. Run it: `node examples/07-test-your-service.ts`
import { Environment, Job, LocalEnvironment, Service } from "autostop"
import { assertClean, Journal, probe } from "autostop/testing"
import { Context, Effect, Layer } from "effect"
import assert from "node:assert/strict"

type Send = (letter: string) => Effect.Effect<void>
class Mail extends Context.Service<Mail, { readonly send: Send }>()("Mail") {}

/** Under test: it collects letters, and sends them when it is released. */
class Outbox extends Context.Service<Outbox, { readonly post: Send }>()("Outbox") {
  static readonly layer = Service.layer(
    Outbox,
    Effect.gen(function*() {
      const { send } = yield* Mail
      const letters: Array<string> = []
      yield* Effect.addFinalizer(() => Effect.forEach(letters, send))
      return { post: (letter) => Effect.sync(() => letters.push(letter)) }
    })
  )
}

/** Runs a job with the outbox over a fake mail, whose connection writes a journal and closes as `closes` says. */
const post = Effect.fnUntraced(function*(closes: "well" | "fail") {
  const journal = new Journal()
  const sent: Array<string> = []
  const send: Send = (letter) =>
    Effect.sync(() => sent.push(journal.has("connection", "releasing") ? "too late" : letter))
  const connection = probe(journal, "connection", { release: { ms: 0, ends: closes } })
  const job = Job.make("post", {
    services: Outbox.layer.pipe(Layer.provide([Layer.succeed(Mail, { send }), connection])),
    run: () => Outbox.use(({ post }) => Effect.andThen(post("one"), post("two")))
  })
  const { report } = yield* Effect.flatMap(Environment.submit(job, {}), (run) => run.result)
  assert.deepEqual(sent, ["one", "two"])
  return { journal, report }
}, Effect.provide(LocalEnvironment.layer))

/** With `@effect/vitest`: `it.effect("sends what it has", () => sendsWhatItHas)`. */
export const sendsWhatItHas = Effect.gen(function*() {
  const { journal, report } = yield* post("well")
  assertClean(report)
  assert.deepEqual(journal.entries.map(({ what }) => what), ["acquiring", "acquired", "releasing", "released"])
})

export const namesWhatFailed = Effect.gen(function*() {
  const { report } = yield* post("fail")
  assert.throws(() => assertClean(report), /service connection is release-failed/)
})

// not `runMain`: the job of the second test does not stop clean, and would set the exit code
if (import.meta.main) {
  await Effect.runPromise(Effect.scoped(sendsWhatItHas))
  console.log("ok: the outbox sends what it has before its connection closes")
  await Effect.runPromise(Effect.scoped(namesWhatFailed))
  console.log("ok: a connection that fails to close is named, and keeps no letter from being sent")
}
