import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Started } from "../support/cli.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** A program with its packages, as far as it needs them. */
const files = {
  "package.json": `{ "type": "module" }`,
  "place.js": `import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
export class Place extends Host.Service()("test/Place", {
  group: RpcGroup.make(Rpc.make("where", { success: Schema.String })),
  module: new URL("./place.host.js", import.meta.url)
}) {}`,
  "place.host.js": `import { Host } from "autostop"
import { Effect } from "effect"
import { Place } from "./place.js"
export default Host.serve(Place, Place.group.toLayer({ where: () => Effect.succeed(import.meta.url) }))`,
  "main.js": `import { Environment, Host, Job, LocalEnvironment, runMain } from "autostop"
import { Effect } from "effect"
import { Place } from "./place.js"
const job = Job.make("brought", {
  services: Host.layer(Place, { host: "ray", ray: { runtimeEnv: { working_dir: import.meta.dirname } } }),
  run: () => Effect.flatMap(Place, ({ where }) => Effect.map(Effect.orDie(where()), (url) => console.log(url)))
})
runMain(Effect.provide(Environment.run(job, {}), LocalEnvironment.layer))`
}

it.live("a service, and all it is made of, comes in the working directory", () =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "autostop-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const copy = (from: string, to: string) =>
      cpSync(join(root, from), join(folder, "node_modules", to), {
        recursive: true,
        dereference: true,
        filter: (path) => !/\.(d\.ts|map)$/.test(path)
      })
    mkdirSync(join(folder, "node_modules"))
    for (const part of ["package.json", "dist"]) {
      copy(part, `autostop/${part}`)
      copy(`node_modules/effect/${part}`, `effect/${part}`)
    }
    const program = new Started([join(folder, "main.js")])
    assert.strictEqual(yield* Effect.promise(() => program.ended()), 0, program.stderr + program.stdout)
    assert.match(program.stdout, /^file:\/\/\/\S+\/_ray_pkg_\w+\/place\.host\.js\n$/)
  }))
