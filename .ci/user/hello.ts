import { Job, Service } from "autostop"
import { Console, Context, Effect, Schema } from "effect"

class Hello extends Context.Service<Hello, { readonly to: (name: string) => Effect.Effect<string> }>()("user/Hello") {
  static readonly layer = Service.layer(
    Hello,
    Effect.as(
      Effect.acquireRelease(Console.log("opened"), () => Console.log("closed")),
      Hello.of({ to: (name) => Effect.succeed(`Hello, ${name}!`) })
    )
  )
}

export default Job.make("hello", {
  payload: { name: Schema.String, wait: Schema.optionalKey(Schema.Boolean) },
  success: Schema.String,
  services: Hello.layer,
  run: ({ name, wait }) =>
    Hello.use((hello) => hello.to(name)).pipe(
      Effect.tap(Console.log),
      Effect.tap(wait === true ? Effect.never : Effect.void)
    )
})
