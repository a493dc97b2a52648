import { assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { signedLines } from "../../../src/host/ray/signedLines.ts"

const secret = randomBytes(32)
const ends = () => ({ client: signedLines(secret, "client"), server: signedLines(secret, "server") })

describe("a signed line", () => {
  it("is opened by the other end, in its turn", () => {
    const { client, server } = ends()
    for (const text of ["{\"ask\":\"end\"}", "", "ż 🦊 a b"]) {
      assert.strictEqual(server.open(client.seal(text)), text)
      assert.strictEqual(client.open(server.seal(text)), text)
    }
  })

  const wrong: ReadonlyArray<readonly [what: string, line: (client: ReturnType<typeof ends>["client"]) => string]> = [
    ["was changed", (client) => client.seal("{\"ask\":\"create\"}").replace("create", "delete")],
    ["has no signature", () => "{\"ask\":\"end\"}"],
    ["is empty", () => ""],
    ["has characters of several bytes for a signature", () => `${"é".repeat(64)} {}`],
    ["leaves one out", (client) => (client.seal("{}"), client.seal("{}"))],
    ["has another secret", () => signedLines(randomBytes(32), "client").seal("{}")],
    ["comes back from where it was sent", () => ends().server.seal("{}")]
  ]
  for (const [what, line] of wrong) {
    it(`is refused if it ${what}`, () => {
      const { client, server } = ends()
      assert.isUndefined(server.open(line(client)))
    })
  }

  it("is refused if it is repeated", () => {
    const { client, server } = ends()
    const line = client.seal("{}")
    assert.strictEqual(server.open(line), "{}")
    assert.isUndefined(server.open(line))
  })
})
