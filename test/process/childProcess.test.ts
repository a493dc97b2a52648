import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { type ChildOptions, ChildProcess, describeEnd } from "../../src/process/childProcess.ts"
import { statOf, until } from "../../src/process/processGroup.ts"
import { commandOf, isLiving, ownChildren, readProcess } from "../../src/process/processTable.ts"
import { Started } from "../support/cli.ts"

interface Answer {
  readonly text: string
  readonly pid?: number
}

/** A child, what it sends, and how to wait for more of that. */
const started = (options: Partial<ChildOptions> = {}, outliveMs = 0) => {
  const child = new ChildProcess({
    entry: new URL("./entries/child.ts", import.meta.url),
    args: [String(outliveMs)],
    output: "stderr",
    ...options
  })
  const answers: Array<Answer> = []
  let onAnswer = () => {}
  child.receive({
    longest: Infinity,
    onTooLong: () => {},
    onLine: (line) => {
      answers.push(JSON.parse(line) as Answer)
      onAnswer()
    }
  })
  const said = async (text: string): Promise<Answer> => {
    for (;;) {
      const answer = answers.find((answer) => answer.text === text)
      if (answer !== undefined) return answer
      await new Promise<void>((resolve) => onAnswer = resolve)
    }
  }
  return { child, said }
}

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.ended.onOpen(resolve))
const runs = (pid: number) => !["Z", "X", undefined].includes(statOf(pid)[0])
const longMs = 60_000

describe("a child process", () => {
  it("answers on its result pipe what it is sent on its lifeline, also before it listens", async () => {
    const { child, said } = started()
    child.send({ ask: "echo", text: "one" })
    child.send({ ask: "echo", text: "two" })
    assert.strictEqual((await said("one")).pid, child.pid)
    await said("two")
    await child.kill(longMs)
  })

  it("leads a group of its own", async () => {
    const { child } = started()
    assert.strictEqual(statOf(child.pid ?? 0)[1], child.pid)
    await child.kill(longMs)
  })

  it("gives its streams to be read, if they are not this process's own", async () => {
    const { child } = started({ output: "stdout and stderr" })
    for (const [stream, text] of [[child.stdout, "ready\n"], [child.stderr, "ready, too\n"]] as const) {
      const [data] = await once(stream ?? assert.fail(), "data")
      assert.strictEqual(String(data), text)
    }
    await child.kill(longMs)
  })

  it("says how it ended by itself", async () => {
    const { child } = started()
    child.send({ ask: "exit" })
    await ended(child)
    assert.deepStrictEqual<object | undefined>(child.end, { _tag: "Exited", code: 7 })
    assert.strictEqual(child.end && describeEnd(child.end), "exited with code 7")
    child.send({ ask: "echo", text: "nobody receives this" })
    assert.deepInclude(await child.kill(longMs), { gone: true, how: "it was gone" })
  })

  it("says by which signal it was ended", async () => {
    const { child, said } = started()
    child.send({ ask: "echo", text: "up" })
    await said("up")
    child.signal("SIGTERM")
    await ended(child)
    assert.strictEqual(child.end && describeEnd(child.end), "was ended by SIGTERM")
  })

  it("that could not be started says so, and there is nothing to kill", async () => {
    const executable = process.execPath
    process.execPath = "/nowhere/node"
    const { child } = started()
    process.execPath = executable
    await ended(child)
    assert.match(child.end === undefined ? "" : describeEnd(child.end), /^could not be started: spawn .*ENOENT$/)
    assert.deepStrictEqual(await child.kill(longMs), { gone: true, how: "nothing to kill", durationMs: 0 })
    await child.allRead(longMs)
  })

  it("that blocks its event loop is killed, and is gone then", async () => {
    const { child, said } = started()
    child.send({ ask: "block" })
    await said("blocked")
    const killed = await child.kill(longMs)
    assert.deepInclude(killed, { gone: true, how: "SIGTERM" })
    assert.isFalse(child.isGroupAlive)
  })

  it("that has ended and left something has a group that is alive, until that is killed", async () => {
    const { child, said } = started()
    child.send({ ask: "leave" })
    const { pid = 0 } = await said("left")
    await ended(child)
    assert.isTrue(child.isGroupAlive)
    // what is left holds the result pipe: what was sent is not waited for without a limit
    await child.allRead(50)
    child.killAtOnce()
    assert.isTrue(await until(() => !runs(pid) && !child.isGroupAlive, longMs))
    await child.allRead(longMs)
  })
})

describe("a child process whose parent has ended", () => {
  it("learns that, and is killed with its group once its time is over", async () => {
    const { child, said } = started({}, 100)
    child.send({ ask: "echo", text: "up" })
    await said("up")
    child.disown()
    await said("lost")
    await ended(child)
    assert.deepStrictEqual<object | undefined>(child.end, { _tag: "Signalled", signal: "SIGKILL" })
    assert.isTrue(await until(() => !child.isGroupAlive, longMs))
  })

  it("is killed even if its event loop is blocked", async () => {
    const { child, said } = started({}, 100)
    child.send({ ask: "block" })
    await said("blocked")
    child.disown()
    await ended(child)
    assert.deepStrictEqual<object | undefined>(child.end, { _tag: "Signalled", signal: "SIGKILL" })
  })

  it("has more time than a timer of Node's can wait, if it needs that", async () => {
    const { child, said } = started({}, 2 ** 32)
    child.send({ ask: "echo", text: "up" })
    await said("up")
    child.disown()
    await said("lost")
    // a timer that is too long for Node rings after a millisecond
    assert.isFalse(await until(() => child.end !== undefined, 300))
    await child.kill(longMs)
  })

  it("ends all of its group when it exits", async () => {
    const { child, said } = started({}, 2 ** 32)
    child.send({ ask: "leave once lost" })
    await said("waits")
    child.disown()
    const { pid = 0 } = await said("left")
    await ended(child)
    assert.isTrue(await until(() => !runs(pid), longMs))
  })
})

/** The id of the watchdog of this process. */
const watchdogPid = () =>
  ownChildren()?.find((pid) => isLiving(readProcess(pid)) && commandOf(pid).includes("watchdogMain"))

describe("the watchdog of a process", () => {
  it("is started again if it is killed, and watches the same children", async () => {
    const { child, said } = started({}, 100)
    child.send({ ask: "block" })
    await said("blocked")
    const first = watchdogPid() ?? assert.fail("there is no watchdog")
    process.kill(first, "SIGKILL")
    assert.isTrue(await until(() => ![undefined, first].includes(watchdogPid()), longMs))
    child.disown()
    await ended(child)
    assert.deepStrictEqual<object | undefined>(child.end, { _tag: "Signalled", signal: "SIGKILL" })
  })

  it("kills a child whose event loop is blocked if its process is killed, and ends", async () => {
    const parent = new Started([fileURLToPath(new URL("./entries/parent.ts", import.meta.url))])
    await parent.said("\n")
    const pids = parent.stdout.split(" ").map(Number)
    assert.isTrue(pids.every(runs), parent.stdout)
    parent.signal("SIGKILL")
    assert.isTrue(await until(() => !pids.some(runs), longMs))
  })

  it("ends at once with a process that leaves no child", async () => {
    const parent = new Started([fileURLToPath(new URL("./entries/parent.ts", import.meta.url))])
    await parent.said("\n")
    const [child = 0, watchdog = 0] = parent.stdout.split(" ").map(Number)
    process.kill(-child, "SIGKILL")
    parent.signal("SIGTERM")
    await parent.ended()
    assert.isTrue(await until(() => !runs(watchdog), longMs))
  })
})
