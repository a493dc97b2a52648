/** How a job manager is to run what is submitted, as flags. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { flag } from "../../internal/policy/policyFields.ts"
import { encodeRunOptions } from "../../manager/client/encodeRunOptions.ts"
import { durationOf, sizeOf, text } from "./startFlags.ts"

const number = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

export const runFlags = {
  priority: Flag.Int("priority").pipe(Flag.withDescription("Higher ones leave the queue first"), Flag.withDefault(0)),
  restart: Flag.Literals("restart", ["never", "fixed", "exponential", "failure-rate"]).pipe(
    Flag.withDescription("Whether it begins again when it has failed, or was lost"),
    Flag.withDefault("never")
  ),
  restartDelay: text("restart-delay", "After how long, the first time; 1 s by default", "duration"),
  restartTimes: number("restart-times", "fixed, exponential: how often at most"),
  restartMaxDelay: text("restart-max-delay", "exponential: the longest delay; 30 s by default", "duration"),
  restartFailures: number("restart-failures", "failure-rate: after how many failures at most, 3 by default,"),
  restartInterval: text("restart-interval", "failure-rate: within this time; 1 minute by default", "duration"),
  memory: text("memory", "What its processes may have of memory, such as \"2 GB\"", "size"),
  timeLimit: text("time-limit", "How long it may run", "duration")
}

export interface RunInput {
  readonly priority: number
  readonly restart: "never" | "fixed" | "exponential" | "failure-rate"
  readonly restartDelay: Option.Option<string>
  readonly restartTimes: Option.Option<number>
  readonly restartMaxDelay: Option.Option<string>
  readonly restartFailures: Option.Option<number>
  readonly restartInterval: Option.Option<string>
  readonly memory: Option.Option<string>
  readonly timeLimit: Option.Option<string>
}

/** What is to be sent. A setting that is wrong is called by its flag. */
export const runOptionsOf = (input: RunInput) =>
  encodeRunOptions({
    priority: input.priority,
    memory: sizeOf(input.memory),
    timeLimit: durationOf(input.timeLimit),
    restart: {
      policy: input.restart,
      delay: durationOf(input.restartDelay),
      times: Option.getOrUndefined(input.restartTimes),
      maxDelay: durationOf(input.restartMaxDelay),
      failures: Option.getOrUndefined(input.restartFailures),
      interval: durationOf(input.restartInterval)
    }
  }, (setting) => flag(setting.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())))
