// The job, which the manager runs in a process of its own: `autostop serve --jobs examples/remote/greet.ts`
import { Service } from "autostop"
import { Console, Context, Effect } from "effect"
import { Greet, Mute } from "./greet.contract.ts"

class Voice extends Context.Service<Voice, { readonly say: (text: string) => Effect.Effect<string> }>()(
  "examples/Voice"
) {}

const voice = Service.layer(
  Voice,
  Effect.as(Effect.acquireRelease(Console.log("voice opened"), () => Console.log("voice closed")), {
    say: (text) => Effect.as(Console.log(text), text)
  })
)

export default Greet.implement({
  services: voice,
  run: ({ name }) =>
    name === "Nobody" ? Effect.fail(new Mute({ name })) : Voice.use((voice) => voice.say(`hello ${name}`))
})
