// A diamond of services: dependents are released first, siblings at once. Run it: `node examples/02-service-graph.ts`
import { Environment, Job, LocalEnvironment, runMain, Service } from "autostop"
import { Console, Context, Effect, Layer } from "effect"

/** Prints when it opens and closes. The close takes 50 ms. */
const openAndClose = (name: string) =>
  Effect.acquireRelease(Console.log(`${name}: open`), () =>
    Console.log(`${name}: closing`).pipe(
      Effect.andThen(Effect.sleep("50 millis")),
      Effect.andThen(Console.log(`${name}: closed`))
    ))

type Lookup = { readonly find: (key: string) => Effect.Effect<string> }

class Database extends Context.Service<Database, Lookup>()("Database") {
  static readonly layer = Service.layer(
    Database,
    Effect.as(openAndClose("Database"), { find: (key) => Effect.succeed(`row ${key}`) })
  )
}

// the two siblings share one Database, because its layer is one value
class Cache extends Context.Service<Cache, Lookup>()("Cache") {
  static readonly layer = Service.layer(Cache, Effect.andThen(openAndClose("Cache"), Database))
    .pipe(Layer.provide(Database.layer))
}
class Search extends Context.Service<Search, Lookup>()("Search") {
  static readonly layer = Service.layer(Search, Effect.andThen(openAndClose("Search"), Database))
    .pipe(Layer.provide(Database.layer))
}

class Api extends Context.Service<Api, Lookup>()("Api") {
  static readonly layer = Service.layer(
    Api,
    Effect.gen(function*() {
      const [cache, search] = [yield* Cache, yield* Search]
      yield* openAndClose("Api")
      return { find: (key) => Effect.andThen(search.find(key), cache.find(key)) }
    })
  ).pipe(Layer.provide([Cache.layer, Search.layer]))
}

const job = Job.make("diamond", {
  services: Api.layer,
  run: () => Api.use((api) => Effect.flatMap(api.find("7"), Console.log))
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job, {})
  const { report } = yield* run.result
  for (const { dependsOn, name } of report.services) {
    yield* Console.log(`${name} depends on ${dependsOn.join(", ") || "nothing"}`)
  }
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
