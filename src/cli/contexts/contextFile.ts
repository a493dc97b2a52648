/**
 * The contexts of a user: names of job managers, in a file of the user's configuration. It holds no token, but says which file
 * has it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import { createPrivateFolder, readPrivate, userFolder, writePrivate } from "../../manager/privateFiles.ts"
import { Refusal } from "../refusal.ts"

/** The form of the name of a context, for people. */
export const nameForm = "1 to 64 letters, digits, \".\", \"-\" or \"_\", a letter or digit first"

export const ContextName = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/))

/** The context of this machine's own manager, which is always there, and current if no other is. */
export const localName = "local"

const Managed = Schema.Struct({
  url: Schema.String,
  /** The file with the token, if the manager has one that is not found without. */
  tokenFile: Schema.optionalKey(Schema.String)
})
export type Managed = typeof Managed.Type

const Contexts = Schema.Struct({
  /** The name of the current context; the local one if it is absent. */
  current: Schema.optionalKey(ContextName),
  contexts: Schema.Record(ContextName, Managed)
})
export type Contexts = typeof Contexts.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Contexts))

/** Reads the contexts; there are none if there is no file. A file that others may read or write is refused. */
export const readContexts: Effect.Effect<Contexts, Refusal> = Effect.suspend(() => {
  const file = fileOf(folder())
  const read = readPrivate(file)
  if (read === undefined) return Effect.succeed({ contexts: {} })
  if (read._tag === "Fault") return refuse(read.fault)
  const decoded = decode(read.text)
  return Option.isSome(decoded)
    ? Effect.succeed(decoded.value)
    : refuse(`${file} has no contexts in it that this version can read: correct it, or remove it`)
})

/** Changes the contexts. A file that is there already is read first, so that a fault in it is not overwritten. */
export const changeContexts = (
  change: (contexts: Contexts) => Effect.Effect<Contexts, Refusal>
): Effect.Effect<void, Refusal> =>
  Effect.gen(function*() {
    const changed = yield* Effect.flatMap(readContexts, change)
    const fault = yield* Effect.try({
      try: () => {
        const path = folder()
        const fault = createPrivateFolder(path)
        if (fault === undefined) writePrivate(fileOf(path), `${JSON.stringify(changed, undefined, 2)}\n`)
        return fault
      },
      catch: (error) => new Refusal({ message: `the contexts cannot be written: ${messageOf(error)}` })
    })
    if (fault !== undefined) return yield* refuse(fault)
  })

/** Returns the context of this name, or fails with those that there are. */
export const contextNamed = (contexts: Contexts, name: string): Effect.Effect<Managed | undefined, Refusal> => {
  if (name === localName) return Effect.undefined
  const found = Object.hasOwn(contexts.contexts, name) ? contexts.contexts[name] : undefined
  return found === undefined
    ? refuse(`there is no context "${name}"; known: ${namesOf(contexts).join(", ")}`)
    : Effect.succeed(found)
}

/** Returns the names of all contexts, the local one first. */
export const namesOf = (
  { contexts }: Contexts
): ReadonlyArray<string> => [localName, ...Object.keys(contexts).toSorted()]

const folder = (): string => userFolder("XDG_CONFIG_HOME", ".config")

const fileOf = (folder: string): string => join(folder, "contexts.json")

const refuse = (message: string): Effect.Effect<never, Refusal> => Effect.fail(new Refusal({ message }))
