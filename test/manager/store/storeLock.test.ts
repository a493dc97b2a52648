import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { symlinkSync } from "node:fs"
import { Server } from "../../support/cliServer.ts"
import { bin, Started } from "../../support/cli.ts"
import { databases, withStore } from "../../support/store.ts"

describe("a store", () => {
  const { kinds, postgres, sqlite } = databases()
  const opened = (url: string) => withStore(url)(Effect.void)

  for (const { fresh, kind } of kinds) {
    it.live(`in ${kind} is that of one manager, until it ends`, () =>
      Effect.gen(function*() {
        const url = fresh()
        const { message } = yield* withStore(url)(Effect.flip(opened(url)))
        assert.match(message, /^another job manager works with .*: stop it first, or give this one another store$/)
        assert.notInclude(message, "p%40ss")
        yield* opened(url)
      }))
  }

  it.live("is known by all names of its file", () =>
    Effect.gen(function*() {
      const file = sqlite.fresh()
      yield* opened(file)
      const link = sqlite.fresh()
      symlinkSync(file, link)
      const { message } = yield* withStore(file)(Effect.flip(opened(link)))
      assert.include(message, "another job manager works with")
    }))

  it.live("is free for the next manager at once, if the one before was killed", () =>
    Effect.promise(async () => {
      await using server = await Server.start(["--store", postgres().fresh()])
      server.server.signal("SIGKILL")
      await server.server.ended()
      await server.again()
    }))

  it.live("is refused to a second manager in another folder, in one line", () =>
    Effect.promise(async () => {
      const store = sqlite.fresh()
      await using _ = await Server.start(["--store", store])
      await using folder = await Server.start()
      const second = new Started([bin, "serve", "--port", "0", "--data", `${folder.folder}/other`, "--store", store])
      assert.strictEqual(await second.ended(), 2)
      assert.match(second.stderr, /^autostop: another job manager works with .*\n$/)
    }))
})
