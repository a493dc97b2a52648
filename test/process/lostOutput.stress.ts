import { assert, describe, it } from "@effect/vitest"
import { Server } from "../support/cliServer.ts"
import { a, gone, shell } from "./lostOutput.ts"

describe("output that cannot be written is not exit 0", () => {
  it("each command that asks a manager, on a full device and to a reader that has gone away", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada" })
    await server.stopped(id)
    for (
      const command of ["list", "info", "health", `status ${id}`, `events ${id}`, `events -f ${id}`, `report ${id}`]
    ) {
      for (const to of ["> /dev/full", gone]) {
        const { code, stderr } = await shell(`${a} ${command} --url ${server.url} ${to}`)
        assert.strictEqual(code, 1, `${command} ${to}: ${stderr}`)
        assert.strictEqual(stderr === "", to === gone, `${command} ${to}: ${stderr}`)
      }
    }
  })
})
