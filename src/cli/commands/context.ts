/** The commands that give names to job managers. They ask no manager. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { resolve } from "node:path"
import { table } from "../../base/format.ts"
import {
  changeContexts,
  ContextName,
  contextNamed,
  localName,
  type Managed,
  nameForm,
  namesOf,
  readContexts
} from "../contexts/contextFile.ts"
import { defaultUrl, readToken, readUrl, remoteFlags } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { printLine, sayLine } from "../views/output.ts"

const name = Argument.String("name").pipe(
  Argument.withDescription("The name of a context"),
  Argument.filter(Schema.is(ContextName), () => nameForm)
)

const list = Command.make("list", { format: remoteFlags.format }, ({ format }) =>
  Effect.gen(function*() {
    const all = yield* readContexts
    const { current = localName } = all
    const managers = namesOf(all).map((name) => {
      const { tokenFile, url }: Managed = all.contexts[name] ?? { url: defaultUrl }
      return { name, url, tokenFile, current: name === current }
    })
    if (format === "json") return printLine(JSON.stringify(managers))
    const rows = managers.map(({ current, name, tokenFile = "", url }) => [current ? "*" : "", name, url, tokenFile])
    printLine(table([["", "NAME", "URL", "TOKEN FILE"], ...rows]).join("\n"))
    const override = ["AUTOSTOP_URL", "AUTOSTOP_CONTEXT"].find((variable) => process.env[variable])
    if (override !== undefined) sayLine(`autostop: ${override} is set, and wins over the current context`)
  })).pipe(Command.withDescription("Lists the contexts; * marks the current one"))

const use = Command.make("use", { name }, ({ name }) =>
  changeContexts((all) =>
    Effect.map(
      contextNamed(all, name),
      () => name === localName ? { contexts: all.contexts } : { ...all, current: name }
    )
  )).pipe(
    Command.withDescription(`Makes a context the current one; "${localName}" is the manager of this machine`)
  )

const add = Command.make("add", {
  name,
  url: Flag.String("url").pipe(Flag.withDescription("The address of the job manager")),
  tokenFile: Flag.File("token-file").pipe(
    Flag.withDescription("The file with the token, which the context names and does not copy"),
    Flag.optional
  )
}, ({ name, tokenFile, url }) =>
  changeContexts((all) =>
    Effect.gen(function*() {
      if (namesOf(all).includes(name)) {
        return yield* new Refusal({
          message: name === localName
            ? `"${localName}" is the manager of this machine: use another name`
            : `there is a context "${name}" already: remove it first, or use another name`
        })
      }
      if (Option.isSome(tokenFile)) yield* readToken(tokenFile)
      const file = Option.isSome(tokenFile) ? { tokenFile: resolve(tokenFile.value) } : {}
      return { ...all, contexts: { ...all.contexts, [name]: { url: yield* readUrl(url), ...file } } }
    })
  )).pipe(Command.withDescription("Gives a job manager a name"))

const remove = Command.make("remove", { name }, ({ name }) =>
  changeContexts((all) =>
    Effect.gen(function*() {
      if ((yield* contextNamed(all, name)) === undefined) {
        return yield* new Refusal({ message: `"${localName}" is the manager of this machine, and stays` })
      }
      const { [name]: _, ...contexts } = all.contexts
      if (all.current !== name) return { ...all, contexts }
      sayLine(`autostop: the current context is "${localName}" now`)
      return { contexts }
    })
  )).pipe(Command.withDescription("Removes a context; its token file stays"))

export const contextCommand = Command.make("context").pipe(
  Command.withDescription(
    "Names job managers, so that a command takes --context NAME instead of an address and a token"
  ),
  Command.withSubcommands([list, use, add, remove])
)
