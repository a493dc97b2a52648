import { assert, describe, it } from "@effect/vitest"
import { fixture } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"
import { onTerminal } from "../../support/terminal.ts"

describe("autostop watch on a terminal", () => {
  it("opens the selected job, says whom its stop waits for, and stops it once that is confirmed", async () => {
    await using server = await Server.start(["--jobs", fixture("life.ts"), "--env", "LIFE"], {
      LIFE: JSON.stringify({ act: "wait", close: "hang" })
    })
    const stopPolicy = { releaseTimeout: "60s", deadline: "120s" }
    for (const id of ["one", "two"]) {
      await server.post("/jobs", { id, job: "life", payload: { act: "wait" }, stopPolicy })
      await server.logged(id, "ready")
    }
    const watch = onTerminal(["watch", "--url", server.url], server.env)
    await watch.printedNext(/> +one +life +running/)
    watch.type("\u001b[B")
    await watch.printedNext(/> +two +life +running/)
    watch.type("\r")
    await watch.printedNext(/two +life +running/)
    await watch.printedNext(/inner +running/)
    watch.type("d")
    await watch.printedNext(/drain life\?/)
    watch.type("n")
    await watch.printedNext(/was not asked to drain/)
    watch.type("d")
    await watch.printedNext(/drain life\?/)
    watch.type("y")
    await watch.printedNext(/life was asked to drain/)
    await watch.printedNext(/Waiting for outer, .+ of 60 s; holds up inner/)
    await watch.printedNext(/outer +\S+ +releasing/)
    watch.type("\u001b")
    // what stops is listed first
    await watch.printedNext(/> +two +life +stopping[^>]* one +life +running/)
    watch.type("w")
    await watch.printedNext(/ one +life +running[^>]*Waiting for outer, .+ of 60 s; holds up inner/)
    watch.type("x")
    await watch.printedNext(/kill life\?/)
    watch.type("y")
    await watch.printedNext(/> +two +life +stopped/)
    assert.strictEqual((await server.info("one")).state, "running")
    assert.deepInclude(await server.info("two"), { trigger: "stopped", clean: false })
    watch.type("q")
    assert.strictEqual((await watch.ended()).code, 0)
  })
})
