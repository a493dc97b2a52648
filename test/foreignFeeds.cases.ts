import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { JobEvent } from "../src/JobEvent.ts"
import { realClock } from "../src/base/clock.ts"
import { Api } from "../src/manager/Api.ts"
import { followFeed } from "../src/manager/client/followFeed.ts"
import { bundleFault, readBundle, versions } from "../src/manager/code/bundle.ts"
import { unpack } from "../src/manager/code/uploadedBundles.ts"
import { NotFound } from "../src/manager/errors.ts"
import { readLog } from "../src/manager/jobs/jobLog.ts"
import { JobMetrics } from "../src/manager/jobs/jobMetrics.ts"
import { LogLine } from "../src/manager/models.ts"
import { Bounds } from "./support/bounds.ts"
import { hostileChunk, hostileLine } from "./support/hostileBytes.ts"
import { Random } from "./support/malformed.ts"

const feedKeys = ["_tag", "at", "service", "id", "event", "data", "job", "jobId", "seq"] as const
const event = "{\"_tag\":\"RunStarted\",\"at\":\"2026-01-01T00:00:00.000Z\"}"

/** Some of a stream of server-sent events: some of it is as a manager writes it. */
const feedPiece = (random: Random): Buffer => {
  switch (random.below(6)) {
    case 0:
      return Buffer.from(`event: message\nid: ${random.below(100)}\ndata: ${event}\n\n`)
    case 1:
      return Buffer.from("event: heartbeat\ndata: -\n\n")
    case 2: {
      const id = random.pick(["", "-1", "1e308", "1.5", "NaN", "0x10", " 7", "9".repeat(400)])
      return Buffer.from(`id: ${id}\nevent: message\ndata: ${event}\n\n`)
    }
    case 3: {
      const name = random.pick(["message", "error", "failure", "__proto__", "", "é".repeat(300)])
      return Buffer.from(`event: ${name}\ndata: ${hostileLine(random, feedKeys)}\r\n\r\n`)
    }
    case 4:
      return Buffer.from(
        random.pick(["retry: 5\n\n", "retry: 1e999\n", ":\n", "data\n\n", "\n\n\r\r", "\ufeffid: 1\n", "id: \0\n\n"])
      )
    default:
      return hostileChunk(random, feedKeys)
  }
}

/** A client whose manager answers with these bytes. */
const clientOf = (bytes: Uint8Array<ArrayBuffer>) =>
  HttpApiClient.makeWith(Api, {
    baseUrl: "http://127.0.0.1:1",
    httpClient: HttpClient.make((request) =>
      Effect.sync(() =>
        HttpClientResponse.fromWeb(request, new Response(bytes, { headers: { "content-type": "text/event-stream" } }))
      )
    )
  })

/** A clock with which nobody waits between two attempts, and no time is ever up. */
const hurried: Clock.Clock = Object.create(realClock, {
  sleep: { value: (duration: Duration.Duration) => Duration.toSeconds(duration) < 10 ? Effect.void : Effect.never }
})

const logLine = (random: Random): string =>
  random.oneIn(2)
    ? hostileLine(random, ["seq", "at", "stream", "text", "mark"])
    : JSON.stringify({
      seq: random.pick<unknown>([1, 2, -1, 1e300, null]),
      at: random.pick<unknown>(["", 0]),
      stream: random.pick(["stdout", "stderr", "none"]),
      text: random.pick<unknown>(["a", "\u0000\ud800", null]),
      ...(random.oneIn(2) ? { mark: random.pick<unknown>(["gap", "continued", "", 1]) } : {})
    })

const bundleText = (random: Random): string => {
  const files = Array.from({ length: random.below(4) }, () => {
    const name = random.pick([
      "a.js",
      "__proto__",
      "../a",
      "a/b",
      ".",
      "",
      "CON",
      "a".repeat(200),
      "constructor",
      "package.json"
    ])
    const file = random.pick<unknown>([{ text: "a" }, { base64: "AA==" }, { base64: "A" }, { text: null }, [], "a"])
    return `${JSON.stringify(name)}:${JSON.stringify(file)}`
  })
  const own = random.pick<unknown>([versions, versions, { autostop: 1 }, null])
  return random.oneIn(4)
    ? hostileLine(random, ["versions", "files", "autostop", "effect", "job.js", "text", "base64"])
    : `{"versions":${JSON.stringify(own)},"files":{${["\"job.js\":{\"text\":\"\"}", ...files].join(",")}}}`
}

/** Reads a log as a handler of a request does, in pieces. */
function* piecesOf(bounds: Bounds, folder: string) {
  const pieces = readLog(folder, "a", 0)
  for (;;) {
    const next = bounds.take(() => pieces.next())
    if (next.done === true) return
    yield next.value
  }
}

/** Tests that what reads the bytes of managers, uploads, logs and stores takes any, so many of each. */
export const itReadsAnyFeed = (each: number): void => {
  it("what a manager sends as events is heard in order, or ends the feed with an error", async () => {
    const random = new Random(21)
    const bounds = new Bounds()
    for (let done = 0; done < each;) {
      const pieces: Array<Buffer> = []
      for (let n = 0; n < 20; n++, done++) pieces.push(feedPiece(random))
      const client = await Effect.runPromise(clientOf(new Uint8Array(Buffer.concat(pieces))))
      let attempts = 0
      const heard: Array<JobEvent> = []
      const following = followFeed({
        connect: (after) =>
          attempts++ === 0
            ? client.jobs.events({ params: { id: "a" }, headers: {}, query: { after, follow: true } })
            : Effect.fail(new NotFound({ id: "a", message: "gone" })),
        take: (event) => heard.push(event) === 0,
        onAlive: () => {},
        isOver: Effect.succeed(false),
        silenceMs: 60_000
      })
      const exit = await bounds.takeAll(() =>
        Effect.runPromiseExit(Effect.provideService(following, Clock.Clock, hurried))
      )
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) {
        assert.isTrue(exit.cause.reasons.every(({ _tag }) => _tag === "Fail"), String(exit.cause))
      }
      for (const event of heard) assert.isTrue(Schema.is(JobEvent)(event))
    }
    bounds.assertKept()
  })

  it("what is uploaded is a bundle that is unpacked where it belongs, or refused in a short text", () => {
    const random = new Random(22)
    const bounds = new Bounds()
    const folder = mkdtempSync(join(tmpdir(), "autostop-bundles-"))
    for (let i = 0; i < each; i++) {
      const text = bundleText(random)
      const fault = bounds.take(() => bundleFault(text))
      if (fault !== undefined) {
        assert.isAtMost(fault.length, 512)
        continue
      }
      if (!random.oneIn(20)) continue
      unpack(join(folder, "bundle"), readBundle(text))
      assert.deepStrictEqual(readdirSync(folder), ["bundle"])
      assert.include(readdirSync(join(folder, "bundle")), "job.js")
      rmSync(join(folder, "bundle"), { recursive: true })
    }
    rmSync(folder, { recursive: true })
    bounds.assertKept()
  })

  it("what stands in a log is read as lines that fit their Schema", () => {
    const random = new Random(23)
    const bounds = new Bounds()
    const folder = mkdtempSync(join(tmpdir(), "autostop-logs-"))
    const file = join(folder, "a.log")
    for (let done = 0; done < each;) {
      const lines: Array<string> = []
      for (let n = 0; n < 50; n++, done++) lines.push(logLine(random))
      writeFileSync(file, random.oneIn(8) ? hostileChunk(random, ["seq"]) : lines.join("\n"))
      for (const some of piecesOf(bounds, folder)) {
        for (const line of some) assert.isTrue(Schema.is(LogLine)(line), JSON.stringify(line))
      }
    }
    writeFileSync(file, Buffer.alloc(4_000_000, "a"))
    assert.deepStrictEqual([...piecesOf(bounds, folder)], [])
    rmSync(folder, { recursive: true })
    bounds.assertKept()
  })

  it("what a store has as states makes metrics that Prometheus reads", () => {
    const random = new Random(24)
    const bounds = new Bounds()
    const name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
    const line = new RegExp(
      `^(# (HELP|TYPE) ${name} [^\\n]*|${name}(\\{state="([^"\\\\\\n]|\\\\["\\\\n])*"\\})? [-+0-9.eInfityNa]+)$`
    )
    for (let i = 0; i < each; i++) {
      const state = random.oneIn(2)
        ? hostileLine(random, ["state"])
        : random.pick(["a\"} 1\nevil 2", "\\", "\n", "\\n\"", "é", ""])
      const counts = { [state]: random.pick([0, 1e21, -0, Infinity, Number.NaN]) }
      // safe: a store may have been written by others
      const metrics = new JobMetrics(() => 0)
      const text = bounds.take(() => metrics.text(counts as Parameters<JobMetrics["text"]>[0], true))
      metrics.end()
      for (const one of text.split("\n").slice(0, -1)) assert.match(one, line)
    }
    bounds.assertKept()
  })
}
