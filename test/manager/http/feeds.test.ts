import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { EventSource } from "undici"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { bufferingProxyOf } from "../../support/bufferingProxy.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService, Processes } from "../../support/managerService.ts"
import { ask } from "../../support/serving.ts"

/** A server over a manager with its store, whose jobs are fake processes. */
const served = Effect.gen(function*() {
  const folder = yield* temporaryFolder
  return yield* Layer.build(
    Layer.provideMerge(serveManager({ port: 0 }), managerService({ folder, jobs: ["sum"] }))
  )
})

const withServer = <A, E>(body: Effect.Effect<A, E, Address | Manager | Processes>) =>
  Effect.scoped(Effect.flatMap(served, (context) => Effect.provideContext(body, context)))

/** Submits a job whose process runs. */
const begin = Effect.fnUntraced(function*(id: string) {
  const manager = yield* Manager
  yield* manager.submit({ job: "sum", id })
  const processes = yield* Processes
  while (processes.get(id) === undefined) yield* Effect.sleep(5)
  return processes.get(id) ?? assert.fail("it has no process")
})

/** Waits until a job has stopped, and returns the number of its last event. */
const last = Effect.fnUntraced(function*(id: string) {
  const { text } = yield* ask("GET", `/jobs/${id}/events?follow=true`)
  return Number([...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1])
})

/** Reads a feed until it has a text, and closes it. */
const readUntil = (url: string, text: string) =>
  Effect.promise(async (signal) => {
    const abort = new AbortController()
    signal.addEventListener("abort", () => abort.abort())
    const { body, headers } = await fetch(url, { signal: abort.signal })
    let read = ""
    for await (const chunk of (body ?? assert.fail("there is no feed")).pipeThrough(new TextDecoderStream())) {
      read += chunk
      if (read.includes(text)) break
    }
    abort.abort()
    return headers
  })

describe("a feed of a job", () => {
  it.live("answers 204 where there is nothing more and never will be, and only there", () =>
    withServer(Effect.gen(function*() {
      const process = yield* begin("a")
      // the job runs, so that there may be more
      assert.strictEqual((yield* ask("GET", "/jobs/a/events?after=99")).status, 200)
      assert.strictEqual((yield* ask("GET", "/jobs/a/logs")).status, 200)
      process.succeed()
      const number = yield* last("a")
      for (const follow of ["", "follow=true&"]) {
        assert.strictEqual((yield* ask("GET", `/jobs/a/events?${follow}after=${number - 1}`)).status, 200)
        const answers = [
          yield* ask("GET", `/jobs/a/events?${follow}after=${number}`),
          yield* ask("GET", `/jobs/a/events?${follow}`, undefined, { "last-event-id": String(number) }),
          // it has printed nothing
          yield* ask("GET", `/jobs/a/logs?${follow}`)
        ]
        for (const { status, text } of answers) assert.deepStrictEqual([status, text], [204, ""])
      }
      assert.strictEqual((yield* ask("GET", "/jobs/none/events")).status, 404)
    })))

  it.live("ends for a browser, which connects again once and has each event once", () =>
    withServer(Effect.gen(function*() {
      const { url } = yield* Address
      const process = yield* begin("a")
      const requests: Array<number> = []
      // counts what the browser asks, and says that it need not wait
      const counter = createServer((incoming, outgoing) => {
        const headers = incoming.headers["last-event-id"] === undefined
          ? {}
          : { "last-event-id": String(incoming.headers["last-event-id"]) }
        void fetch(`${url}${incoming.url}`, { headers }).then(async ({ body, headers, status }) => {
          requests.push(status)
          outgoing.writeHead(status, { "content-type": headers.get("content-type") ?? "" })
          outgoing.write("retry: 1\n\n")
          for await (const chunk of body ?? []) outgoing.write(chunk)
          outgoing.end()
        })
      }).listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(counter, "listening"))
      // safe: it listens on a port
      const { port } = counter.address() as AddressInfo
      const source = new EventSource(`http://127.0.0.1:${port}/jobs/a/events?follow=true`)
      const ids: Array<string> = []
      const closed = Effect.callback<void>((resume) => {
        source.addEventListener("message", ({ lastEventId }) => {
          ids.push(lastEventId)
          if (ids.length === 1) process.succeed()
        })
        source.addEventListener("error", () => {
          if (source.readyState === EventSource.CLOSED) resume(Effect.void)
        })
      })
      process.report({ _tag: "RunStarted", at: new Date(0).toISOString() })
      yield* closed
      const number = yield* last("a")
      assert.deepStrictEqual(ids, Array.from({ length: number }, (_, index) => String(index + 1)))
      assert.deepStrictEqual(requests, [200, 204])
      counter.close()
      counter.closeAllConnections()
    })))

  it.live("reaches its reader through a proxy that buffers and stores answers", () =>
    withServer(Effect.scoped(Effect.gen(function*() {
      const { url } = yield* Address
      const proxy = yield* bufferingProxyOf(url)
      const process = yield* begin("a")
      process.report({ _tag: "RunStarted", at: new Date(0).toISOString() })
      for (const path of ["/jobs/a/events?follow=true", "/jobs/a/logs?follow=true", "/changes"]) {
        const headers = yield* readUntil(`${proxy.url}${path}`, path.includes("events") ? "RunStarted" : "heartbeat")
        assert.strictEqual(headers.get("content-type"), "text/event-stream", path)
        assert.strictEqual(headers.get("cache-control"), "no-cache", path)
        assert.strictEqual(headers.get("x-accel-buffering"), "no", path)
      }
      // what is asked again is not what it was
      const state = () =>
        Effect.promise(async () => JSON.parse(await (await fetch(`${proxy.url}/jobs/a`)).text()).state)
      assert.strictEqual(yield* state(), "running")
      const events = () => Effect.promise(async () => (await fetch(`${proxy.url}/jobs/a/events`)).text())
      assert.notInclude(yield* events(), "JobStopped")
      process.succeed()
      yield* last("a")
      assert.include(yield* events(), "JobStopped")
      assert.strictEqual(yield* state(), "stopped")
    }))))
})
