import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chosenManager } from "../../../src/cli/contexts/chosenManager.ts"
import { changeContexts, type Contexts } from "../../../src/cli/contexts/contextFile.ts"
import { temporaryFolder } from "../../support/folder.ts"

const inFolder = <A, E>(use: (folder: string) => Effect.Effect<A, E>) => Effect.flatMap(temporaryFolder, use)

const variables = ["XDG_CONFIG_HOME", "AUTOSTOP_URL", "AUTOSTOP_CONTEXT", "AUTOSTOP_TOKEN"] as const
type Given = Partial<Record<"url" | "context" | "tokenFile", string>>

describe("which manager a command asks", () => {
  const before = new Map<string, string | undefined>()
  beforeEach(() => {
    for (const name of variables) {
      before.set(name, process.env[name])
      delete process.env[name]
    }
  })
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  const choose = (given: Given = {}) =>
    chosenManager({
      url: Option.fromUndefinedOr(given.url),
      context: Option.fromUndefinedOr(given.context),
      tokenFile: Option.fromUndefinedOr(given.tokenFile)
    })
  const refusal = (given: Given = {}) => Effect.map(Effect.flip(choose(given)), ({ message }) => message)

  /** Writes contexts, and runs a test with a token file of theirs. */
  const withContexts = <A, E>(
    contexts: (tokenFile: string) => Contexts,
    use: (folder: string) => Effect.Effect<A, E>
  ) =>
    inFolder((folder) =>
      Effect.gen(function*() {
        process.env["XDG_CONFIG_HOME"] = folder
        const tokenFile = join(folder, "token")
        writeFileSync(tokenFile, "the token of a\n", { mode: 0o600 })
        yield* changeContexts(() => Effect.succeed(contexts(tokenFile)))
        yield* use(folder)
      })
    )

  const two = (tokenFile: string): Contexts => ({
    current: "b",
    contexts: { a: { url: "http://a.example", tokenFile }, b: { url: "http://b.example" } }
  })

  it.effect("is the first that is given: flag, AUTOSTOP_URL, AUTOSTOP_CONTEXT, the current context, this machine's", () =>
    withContexts(two, () =>
      Effect.gen(function*() {
        const url = (given?: Given) => Effect.map(choose(given), ({ url }) => url)
        assert.strictEqual(yield* url(), "http://b.example")
        process.env["AUTOSTOP_CONTEXT"] = "a"
        assert.strictEqual(yield* url(), "http://a.example")
        process.env["AUTOSTOP_CONTEXT"] = "local"
        assert.strictEqual(yield* url(), "http://127.0.0.1:19001")
        process.env["AUTOSTOP_URL"] = "http://variable.example"
        assert.strictEqual(yield* url(), "http://variable.example")
        assert.strictEqual(yield* url({ context: "a" }), "http://a.example")
        assert.strictEqual(yield* url({ url: "flag.example" }), "http://flag.example")
      })))

  it.effect("is that of this machine if there are no contexts", () =>
    inFolder((folder) => {
      process.env["XDG_CONFIG_HOME"] = folder
      return Effect.map(choose(), ({ token, url }) => {
        assert.deepStrictEqual({ token, url }, { token: undefined, url: "http://127.0.0.1:19001" })
      })
    }))

  it.effect("gets the token of its own context, whatever AUTOSTOP_TOKEN is; a flag wins", () =>
    withContexts(two, (folder) =>
      Effect.gen(function*() {
        const token = (given?: Given) => Effect.map(choose(given), ({ token }) => token)
        process.env["AUTOSTOP_TOKEN"] = "the token of the variable"
        assert.strictEqual(yield* token({ context: "a" }), "the token of a")
        assert.strictEqual(yield* token({ context: "b" }), "the token of the variable")
        const tokenFile = join(folder, "other")
        writeFileSync(tokenFile, "the token of the flag", { mode: 0o600 })
        assert.strictEqual(yield* token({ context: "a", tokenFile }), "the token of the flag")
      })))

  it.effect("is refused if its name is unknown, two are given, or its token cannot be read", () =>
    withContexts(
      () => ({ contexts: { a: { url: "http://a.example", tokenFile: "/nowhere/token" } } }),
      () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* refusal({ context: "A" }), "there is no context \"A\"; known: local, a")
          assert.strictEqual(
            yield* refusal({ context: "toString" }),
            "there is no context \"toString\"; known: local, a"
          )
          assert.include(yield* refusal({ context: "a", url: "http://b" }), "--url and --context cannot be combined")
          assert.match(
            yield* refusal({ context: "a" }),
            /^the token file of context "a", \/nowhere\/token cannot be read/
          )
        })
    ))

  it.effect("is refused if others may read the file of the contexts, or it has none in it", () =>
    withContexts(two, (folder) =>
      Effect.gen(function*() {
        const file = join(folder, "autostop", "contexts.json")
        chmodSync(file, 0o644)
        assert.include(yield* refusal(), `others may read ${file} (mode 0644)`)
        chmodSync(file, 0o600)
        writeFileSync(file, "{")
        assert.include(yield* refusal(), `${file} has no contexts in it`)
        const fault = yield* Effect.flip(changeContexts(Effect.succeed))
        assert.include(fault.message, `${file} has no contexts in it`)
      })))

  it.effect("is not written into a folder that others may write", () =>
    inFolder((folder) =>
      Effect.gen(function*() {
        process.env["XDG_CONFIG_HOME"] = folder
        mkdirSync(join(folder, "autostop"))
        chmodSync(join(folder, "autostop"), 0o777)
        const fault = yield* Effect.flip(changeContexts(Effect.succeed))
        assert.include(fault.message, "others may write the folder")
      })
    ))
})
