import { Host } from "autostop"
import { Effect } from "effect"
import { Echo } from "./echo.ts"

export default Host.serve(
  Echo,
  Echo.group.toLayer({ say: ({ text }) => Effect.succeed(text).pipe(Effect.withSpan("a span of the host")) })
)
