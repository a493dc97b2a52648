import { assert, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { Socket } from "node:net"
import { StringDecoder } from "node:string_decoder"
import { KeyedConnection, receive } from "../src/host/ray/keyedConnection.ts"
import { RayGuard } from "../src/host/ray/rayGuard.ts"
import { deathReport } from "../src/jobProcess/deathReport.ts"
import { EventProjection } from "../src/jobProcess/eventProjection.ts"
import { received, starting } from "../src/jobProcess/jobProcessState.ts"
import { pipeLimits } from "../src/jobProcess/pipeLimits.ts"
import { PipeMeter } from "../src/jobProcess/pipeMeter.ts"
import { decodeJobMessage, JobMessage } from "../src/jobProcess/protocol.ts"
import { LineSplitter, longestLine } from "../src/manager/outputLine.ts"
import { decodeAnswer } from "../src/manager/process/protocol.ts"
import { LineReader } from "../src/process/lineReader.ts"
import { StopReport } from "../src/StopReport.ts"
import { Bounds } from "./support/bounds.ts"
import { hostileChunk } from "./support/hostileBytes.ts"
import { Random } from "./support/malformed.ts"

const at = "2026-01-01T00:00:00.000Z"

/** The keys of all messages of a job, where a generator puts values that do not belong there. */
const pipeKeys = [
  "_tag",
  "at",
  "service",
  "error",
  "pid",
  "replica",
  "jobId",
  "job",
  "phase",
  "outcome",
  "clean",
  "mode",
  "trigger",
  "startMs",
  "stages",
  "report",
  "exit",
  "deadlineMs",
  "number",
  "refusal"
] as const

/** Messages that a job could send: among them are those that break what it says of itself. */
const tags = [
  "JobSubmitted",
  "ServiceStarting",
  "ServiceStarted",
  "ServiceFailed",
  "ServiceReleasing",
  "ServiceOverdue",
  "HostStarted",
  "HostLost",
  "RunStarted",
  "RunEnded",
  "StopRequested",
  "PhaseStarted",
  "PhaseEnded",
  "JobStopped",
  "Limits",
  "Stages",
  "Alive"
] as const

const message = (random: Random): string =>
  JSON.stringify({
    _tag: random.pick(tags),
    at: random.pick([at, "", "never"]),
    service: random.pick(["a", "a/b", "a[1]", "__proto__", ""]),
    jobId: "1",
    job: "a",
    replica: random.pick([0, 1, -1, 2 ** 53]),
    pid: random.pick([0, 1, -1, 2 ** 31, 4_000_000]),
    startMs: random.pick([0, -1, 1e308]),
    durationMs: random.pick([0, -1, 1e308]),
    error: random.pick(["", "no", "\u0000\ud800"]),
    phase: random.pick(["drain", "release", "kill", "none"]),
    outcome: random.pick(["succeeded", "failed", "none"]),
    trigger: random.pick(["stopped", "failed"]),
    mode: random.pick(["drain", "kill"]),
    how: "",
    killMs: 1,
    timedOut: random.oneIn(2),
    clean: random.oneIn(2),
    stages: random.pick<unknown>([[], [{}], null]),
    deadlineMs: random.pick<unknown>([null, -1, 1e308])
  })

/** Tests that what reads bytes of others takes any, with so many inputs in all. */
export const itReadsAnyBytes = (inputs: number): void => {
  const each = Math.ceil(inputs / 4)

  it("what a job sends through its pipe makes a report, whatever it is", () => {
    const random = new Random(11)
    const bounds = new Bounds()
    for (let done = 0; done < each;) {
      const projection = new EventProjection({ job: "a", jobId: "1", environment: "remote", startedAt: at })
      const meter = new PipeMeter({ ...pipeLimits, events: 10_000 }, 0)
      let state = starting(0) as Parameters<typeof received>[0]
      let ended = 0
      const reader = new LineReader({
        longest: 4_000,
        onLine: (line) => {
          const decoded = Option.getOrUndefined(decodeJobMessage(line))
          meter.take(decoded, Buffer.byteLength(line), done)
          if (decoded === undefined) return
          state = received(state, decoded, done)
          if (decoded._tag === "Stages") projection.stages = decoded.stages
          else if (Schema.is(JobMessage)(decoded) && !["Limits", "Reported", "Alive"].includes(decoded._tag)) {
            projection.apply(decoded as Parameters<EventProjection["apply"]>[0])
          }
        },
        onTooLong: () => ended++
      })
      for (let n = 0; n < 40; n++, done++) {
        const bytes = random.oneIn(2) ? Buffer.from(`${message(random)}\n`) : hostileChunk(random, pipeKeys)
        bounds.take(() => reader.feed(bytes))
      }
      assert.isAtMost(ended, 1)
      const report = deathReport(projection, {
        pid: 2,
        at,
        isLost: true,
        how: "was lost",
        gone: true,
        killMs: undefined,
        trigger: "lost"
      })
      // it is stored as JSON, and read again
      assert.instanceOf(Schema.decodeUnknownSync(StopReport)(JSON.parse(JSON.stringify(report))), StopReport)
    }
    bounds.assertKept()
  })

  it("the answers of an inspector are its answers or none", () => {
    const random = new Random(12)
    const bounds = new Bounds()
    for (let i = 0; i < each; i++) {
      for (const line of hostileChunk(random, ["_tag", "number", "refusal", "job", "message"]).toString().split("\n")) {
        Option.map(
          bounds.take(() => decodeAnswer(line)),
          ({ _tag }) => assert.include(["Loading", "Loaded", "NotLoaded", "Checked"], _tag)
        )
      }
    }
    bounds.assertKept()
  })

  it("output becomes lines that are no longer than the longest one", () => {
    const random = new Random(13)
    const bounds = new Bounds()
    const decoder = new StringDecoder("utf8")
    const splitter = new LineSplitter()
    for (let i = 0; i < each; i++) {
      const bytes = random.oneIn(3)
        ? Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)))
        : hostileChunk(random, ["a"])
      for (const { text } of bounds.take(() => splitter.add(decoder.write(bytes)))) {
        assert.isAtMost(text.length, longestLine)
      }
      if (random.oneIn(10)) splitter.takeUnfinished()
    }
    assert.isAtMost(splitter.end().length, 1)
    bounds.assertKept()
  })

  it("what comes through a connection with a Ray host ends that connection or is heard", () => {
    const random = new Random(14)
    const bounds = new Bounds()
    const keys = ["mac", "nonce", "role", "pid", "how", "gone", "killed", "stderr", "actorGone", "leftover"] as const
    const silent = {
      onStarted: (pid: number) => assert.isNumber(pid),
      onEnded: ({ how, leftover }: { readonly how: string; readonly leftover?: string | undefined }) => {
        assert.isString(how)
        assert.include(["string", "undefined"], typeof leftover)
      },
      onWorkerGone: () => {},
      onStderr: (text: string) => assert.isString(text),
      onLost: () => {}
    }
    for (let done = 0; done < each;) {
      const socket = new Socket()
      let taken: KeyedConnection | undefined
      receive(socket, randomBytes(32), (connection) => taken = connection)
      for (let n = 0; n < 5; n++, done++) {
        const bytes = hostileChunk(random, keys)
        bounds.take(() => socket.emit("data", bytes))
      }
      assert.isUndefined(taken)
      socket.destroy()
      const proven = new Socket()
      listenTo(proven, silent)
      for (let n = 0; n < 5; n++, done++) {
        const bytes = hostileChunk(random, keys)
        bounds.take(() => proven.emit("data", bytes))
      }
      proven.destroy()
    }
    bounds.assertKept()
  })
}

/** Listens to a guard that has proved itself before. */
const listenTo = (socket: Socket, listener: Parameters<RayGuard["listen"]>[0]): void => {
  const connection = new KeyedConnection(socket, () => {})
  connection.protect(undefined, new Uint8Array(), "client")
  new RayGuard(connection).listen(listener)
}
