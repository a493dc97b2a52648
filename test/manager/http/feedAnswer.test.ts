import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Stream from "effect/Stream"
import { makeClient } from "../../../src/manager/client/apiClient.ts"
import { NotFound } from "../../../src/manager/errors.ts"
import { feedAnswer } from "../../../src/manager/http/feedAnswer.ts"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { RecentEvents } from "../../../src/manager/jobs/recentEvents.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import type { NumberedEvent } from "../../../src/manager/models.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService } from "../../support/managerService.ts"

const eventOf = (seq: number): NumberedEvent => ({
  seq,
  event: { _tag: "RunStarted", at: new Date(seq).toISOString() }
})

/** An answer whose elements say how often each was encoded. */
const counted = () => {
  const encoded: Array<number> = []
  const Counted = Schema.String.pipe(Schema.decodeTo(Schema.Number, {
    decode: SchemaGetter.transform(Number),
    encode: SchemaGetter.transform((n: number) => {
      encoded.push(n)
      return String(n)
    })
  }))
  const feed = HttpApiSchema.StreamSse({
    events: Schema.Struct({ event: Schema.Literal("message"), data: Counted }),
    error: NotFound
  })
  const answer = feedAnswer(
    feed,
    ({ seq }: NumberedEvent) => ({ event: "message" as const, data: seq }),
    (bytes: Stream.Stream<Uint8Array, NotFound>) => bytes
  )
  return { answer, encoded }
}

const chunksOf = ({ body }: HttpServerResponse.HttpServerResponse) =>
  body._tag === "Stream" ? Stream.runCollect(body.stream) : Effect.die(new Error("it is no stream"))

describe("the answer with a feed", () => {
  it.effect("encodes each element once, and sends readers at the same place the same bytes", () =>
    Effect.gen(function*() {
      const { answer, encoded } = counted()
      const recent = new RecentEvents()
      recent.add([1, 2, 3].map(eventOf))
      const read = (after: number) => chunksOf(answer(Stream.fromArray(recent.after(after) ?? [])))
      const [first] = yield* read(0)
      const [second] = yield* read(0)
      assert.strictEqual(String(first), "data: 1\n\ndata: 2\n\ndata: 3\n\n")
      assert.strictEqual(second, first)
      assert.strictEqual(String((yield* read(2))[0]), "data: 3\n\n")
      recent.add([eventOf(4)])
      assert.strictEqual(String((yield* read(1))[0]), "data: 2\n\ndata: 3\n\ndata: 4\n\n")
      assert.deepStrictEqual(encoded, [1, 2, 3, 4])
    }))

  it.effect("gives a reader that is far behind one page after the other", () =>
    Effect.sync(() => {
      const recent = new RecentEvents(10)
      recent.add(Array.from({ length: 2_500 }, (_, index) => eventOf(11 + index)))
      const sizes: Array<number> = []
      let read = 10
      for (let page = recent.after(read); page !== undefined && page.length > 0; page = recent.after(read)) {
        assert.strictEqual(page[0]?.seq, read + 1)
        sizes.push(page.length)
        read = page.at(-1)?.seq ?? read
      }
      assert.deepStrictEqual([sizes, read], [[1_000, 1_000, 500], 2_510])
      assert.isUndefined(recent.after(9))
    }))

  it.live("tells a client why a feed has failed", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const gone = new NotFound({ id: "a", message: "job a was removed while its events were read" })
      const failing = Layer.effect(
        Manager,
        Effect.map(Manager, (manager) =>
          Manager.of({
            ...manager,
            events: () => Stream.concat(Stream.make(eventOf(1)), Stream.fail(gone))
          }))
      ).pipe(Layer.provide(managerService({ folder, jobs: ["sum"] })))
      const context = yield* Layer.build(Layer.provideMerge(serveManager({ port: 0 }), failing))
      yield* Effect.gen(function*() {
        const { url } = yield* Address
        const manager = yield* Manager
        yield* manager.submit({ job: "sum", id: "a" })
        const client = yield* makeClient({ url })
        const feed = yield* client.jobs.events({ params: { id: "a" }, headers: {}, query: { follow: true } })
        assert.isDefined(feed)
        const ids: Array<number> = []
        const exit = yield* Effect.exit(Stream.runForEach(feed ?? Stream.empty, (event) =>
          Effect.sync(() => {
            if (event.event === "message") ids.push(event.id)
          })))
        assert.deepStrictEqual(ids, [1])
        assert.strictEqual(exit._tag, "Failure")
        if (exit._tag === "Failure") assert.deepStrictEqual(Cause.squash(exit.cause), gone)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped))
})
