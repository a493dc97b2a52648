import { assert, describe, it } from "@effect/vitest"
import { type AddressInfo, createServer } from "node:net"
import { isGroupAlive, until } from "../../../src/process/processGroup.ts"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

const gone = async (pid: number | undefined): Promise<void> => {
  assert.isDefined(pid)
  assert.isTrue(await until(() => !isGroupAlive(pid), 10_000), `${pid} is still there`)
}

describe("autostop serve", () => {
  it("lets submit --wait leave the job alone at a signal, and say so", async () => {
    await using server = await Server.start()
    const args = [bin, "submit", "greet", "--wait", "--url", server.url]
    const waiting = new Started([...args, "--id", "mine", "--payload", "{\"name\":\"Ada\",\"act\":\"wait\"}"])
    await waiting.said("run started")
    waiting.signal("SIGINT")
    assert.strictEqual(await waiting.ended(), 130)
    assert.include(waiting.stderr, "job mine goes on at the manager; \"autostop stop mine\" stops it")
    assert.include(await server.info("mine"), { state: "running" })
    assert.strictEqual((await server.run("stop", "mine", "--reason", "enough")).code, 0)
    await server.run("events", "-f", "mine")
    assert.include(await server.report("mine"), { trigger: "stopped", reason: "enough", outcome: "cancelled" })
  })

  it("kills a job that blocks, and harms no other", async () => {
    await using server = await Server.start()
    const stuck = await server.submit({ name: "Bob", act: "block" })
    await server.logged(stuck, "hello Bob")
    const { pid } = await server.info(stuck)
    await server.run("stop", stuck)
    assert.match(
      (await server.run("submit", "greet", "--wait", "--payload", "{\"name\":\"Ada\"}")).stdout,
      /succeeded, clean/
    )
    await server.run("events", "-f", stuck)
    assert.include(await server.report(stuck), { outcome: "cancelled", clean: false, trigger: "stopped" })
    await gone(pid)
  })

  it("leaves no job behind if it is killed with -9, and finds their reports when it is back", async () => {
    await using server = await Server.start()
    const [good, stuck] = [
      await server.submit({ name: "Ada", act: "wait" }),
      await server.submit({ name: "Bob", act: "block" })
    ]
    await server.logged(good, "hello Ada")
    await server.logged(stuck, "hello Bob")
    const pids = [(await server.info(good)).pid, (await server.info(stuck)).pid]
    server.server.signal("SIGKILL")
    await server.server.ended()
    await server.again()
    await server.run("events", "-f", good)
    assert.include(await server.report(good), { trigger: "lost", outcome: "cancelled", clean: true })
    await server.run("events", "-f", stuck)
    assert.include(await server.report(stuck), { trigger: "lost", outcome: "failed", clean: false })
    for (const pid of pids) await gone(pid)
    assert.match((await server.run("info")).stdout, /running +0/)
  })

  it("queues what there is no room for, those of a higher priority first, and finds the queue when it is back", async () => {
    await using server = await Server.start(["--concurrency", "1"])
    await server.submit({ name: "first", act: "wait" }, "--id", "first")
    await server.submit({ name: "later" }, "--id", "later")
    await server.submit({ name: "urgent" }, "--id", "urgent", "--priority", "5")
    await server.submit({ name: "never" }, "--id", "never")
    assert.strictEqual((await server.info("later")).state, "queued")
    await server.run("stop", "never", "--reason", "not needed")
    assert.include(await server.report("never"), { outcome: "cancelled", clean: true, reason: "not needed" })
    server.server.signal("SIGKILL")
    await server.server.ended()
    await server.again()
    await server.run("events", "-f", "later")
    const [later, urgent] = [await server.info("later"), await server.info("urgent")]
    assert.include(later, { state: "stopped", outcome: "succeeded" })
    assert.isTrue((urgent.startedAt ?? "") < (later.startedAt ?? ""))
  })

  it("shares its folder with no other one, and runs nothing where it cannot listen", async () => {
    await using server = await Server.start(["--concurrency", "1"])
    await server.submit({ name: "first", act: "wait" }, "--id", "first")
    await server.submit({ name: "Ada" }, "--id", "queued")
    const serve = async (port: string) => {
      const other = new Started([bin, "serve", "--port", port, "--data", server.folder, ...server.args])
      return { code: await other.ended(), stderr: other.stderr }
    }
    const shared = await serve("0")
    assert.strictEqual(shared.code, 2)
    assert.match(shared.stderr, /^autostop: another job manager works in the folder .*: stop it first, or .*\n$/)
    server.server.signal("SIGKILL")
    await server.server.ended()

    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as AddressInfo
    const refused = await serve(String(port))
    taken.close()
    assert.strictEqual(refused.code, 2)
    const why = `another process listens on 127.0.0.1:${port}: stop it, or use another port`
    assert.strictEqual(refused.stderr, `autostop: ${why}\n`)
    await server.again()
    await server.run("events", "-f", "queued")
    assert.include(await server.info("queued"), { outcome: "succeeded" })
  })

  it("lets a client with the token that only reads change nothing", async () => {
    await using server = await Server.start([], {
      AUTOSTOP_TOKEN: "to work at this manager",
      AUTOSTOP_READ_TOKEN: "to look at this manager"
    })
    const id = await server.submit({ name: "Ada" })
    const run = async (command: string) => {
      const started = new Started([bin, command, id, "--url", server.url], {
        AUTOSTOP_TOKEN: "to look at this manager"
      })
      return { code: await started.ended(), stderr: started.stderr }
    }
    assert.strictEqual((await run("status")).code, 0)
    const { code, stderr } = await run("stop")
    assert.strictEqual(code, 2)
    assert.include(stderr, "the token has the role \"read\": this request needs one with the role \"operate\"")
    const open = new Started([bin, "serve", "--port", "0", "--data", server.folder], {
      AUTOSTOP_READ_TOKEN: "to look at this manager"
    })
    assert.strictEqual(await open.ended(), 2)
    assert.include(
      open.stderr,
      "a token that only reads is given, but none to operate the manager: give --token-file too"
    )
  })
})
