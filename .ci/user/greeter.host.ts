import { Host } from "autostop"
import { Effect } from "effect"
import { Greeter } from "./greeter.ts"

export default Host.serve(
  Greeter,
  Greeter.group.toLayer({ greet: ({ name }) => Effect.succeed(`Hello, ${name}, from ${process.pid}`) })
)
