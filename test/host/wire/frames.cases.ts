import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { Replica } from "../../../src/host/caller/replica.ts"
import { OwnerInbox } from "../../../src/host/server/ownerInbox.ts"
import { FrameReader, FrameWriter, Reply, Request } from "../../../src/host/wire/frames.ts"
import { policyMillis } from "../../../src/internal/policy/policyMillis.ts"
import * as Policy from "../../../src/StopPolicy.ts"
import * as Effect from "effect/Effect"
import { FakeHosts } from "../services/fakeHost.ts"
import { hostileChunk, hostileLine } from "../../support/hostileBytes.ts"
import { Random } from "../../support/malformed.ts"

const keys = [
  "report",
  "services",
  "leftovers",
  "failure",
  "name",
  "kind",
  "_tag",
  "at",
  "service",
  "module",
  "version",
  "fingerprint",
  "limits"
] as const

/** Frames that are whole, cut, too short, too long, or hold what does not belong there. */
const hostileFrames = (random: Random): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const writer = new FrameWriter((bytes) => void parts.push(new Uint8Array(bytes)))
  for (let n = 1 + random.below(4); n > 0; n--) {
    const operation = random.pick<number>([0, 255, ...Object.values(Request), ...Object.values(Reply)])
    writer.write(operation, random.below(3), random.below(3), Buffer.from(hostileLine(random, keys)))
  }
  writer.flush()
  const bytes = Buffer.concat(parts)
  if (random.oneIn(3)) bytes[random.below(bytes.length)] = random.below(256)
  if (random.oneIn(10)) return hostileChunk(random, keys)
  return random.oneIn(4) ? bytes.subarray(0, random.below(bytes.length)) : bytes
}

const policy = policyMillis(Effect.runSync(Policy.StopPolicy.Defaults))
const clock = Context.get(Context.empty(), Clock.Clock)

/** Does something so many times, in turns: what is written waits for the end of the turn. */
const repeat = async (times: number, once: () => void): Promise<void> => {
  for (let i = 0; i < times; i++) {
    once()
    if (i % 500 === 499) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Tests that readers of frames take anything, with so many inputs each. */
export const itReadsAnyFrames = (inputs: number): void => {
  it("a reader of frames says once that bytes are none, and reads nothing after it", async () => {
    const random = new Random(1)
    await repeat(inputs, () => {
      let broken = 0
      const reader = new FrameReader((_, __, ___, body) => {
        assert.strictEqual(broken, 0)
        assert.isAtLeast(body.length, 0)
      }, () => broken++)
      for (let n = 0; n < 3; n++) reader.feed(hostileFrames(random))
      assert.isAtMost(broken, 1)
    })
  })

  it("a host takes anything for the end of its owner that it cannot read", async () => {
    const random = new Random(2)
    await repeat(inputs, () => {
      let broken = 0
      const inbox = new OwnerInbox(new FrameWriter(() => {}), () => broken++)
      for (let n = 0; n < 3; n++) inbox.reader.feed(hostileFrames(random))
      assert.isAtMost(broken, 1)
    })
  })

  it("a caller kills a host that sends what it cannot read, once", async () => {
    const random = new Random(3)
    await repeat(inputs, () => {
      const hosts = new FakeHosts()
      let feed: (bytes: Uint8Array) => void = () => {}
      const replica = new Replica({
        open: (onBytes) => {
          feed = onBytes
          return hosts.open(onBytes)
        },
        service: "test/Lean",
        init: { service: "test/Lean", version: "1", fingerprint: "0", module: "file:///none", limits: policy },
        startLimitMs: 1_000,
        heartbeatMs: 1_000,
        clock,
        onEvent: () => {},
        onHeartbeat: () => {}
      })
      for (let n = 0; n < 3; n++) feed(hostileFrames(random))
      assert.isAtMost(hosts.last.kills, 1)
      assert.strictEqual(replica.state._tag === "Exited", hosts.last.kills === 1)
    })
  })
}
