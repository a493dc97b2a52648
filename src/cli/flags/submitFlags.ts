/** The flags that say how a job manager runs a job. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { flag } from "../../internal/policy/policyFields.ts"
import { encodeRunOptions } from "../../manager/client/encodeRunOptions.ts"
import { durationOf, sizeOf, text } from "./startFlags.ts"

const number = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

export const submitFlags = {
  priority: Flag.Int("priority").pipe(
    Flag.withDescription("Jobs with a higher priority leave the queue first"),
    Flag.withDefault(0)
  ),
  restart: Flag.Literals("restart", ["never", "fixed", "exponential", "failure-rate"]).pipe(
    Flag.withDescription("When the job begins again after it has failed or was lost"),
    Flag.withDefault("never")
  ),
  restartDelay: text("restart-delay", "The delay before the first restart; 1 s by default", "duration"),
  restartTimes: number("restart-times", "fixed, exponential: the largest number of restarts"),
  restartMaxDelay: text("restart-max-delay", "exponential: the longest delay; 30 s by default", "duration"),
  restartFailures: number(
    "restart-failures",
    "failure-rate: the largest number of failures within the interval; 3 by default"
  ),
  restartInterval: text("restart-interval", "failure-rate: the interval; 1 minute by default", "duration"),
  memory: text("memory", "The memory that the processes of the job may use, such as \"2 GB\"", "size"),
  timeLimit: text("time-limit", "How long the job may run", "duration"),
  env: Flag.String("env").pipe(
    Flag.withDescription("A variable that the manager has for jobs, and that this job gets; may be repeated"),
    Flag.withMetavar("name"),
    Flag.atLeast(0)
  )
}

export interface SubmitInput {
  readonly priority: number
  readonly restart: "never" | "fixed" | "exponential" | "failure-rate"
  readonly restartDelay: Option.Option<string>
  readonly restartTimes: Option.Option<number>
  readonly restartMaxDelay: Option.Option<string>
  readonly restartFailures: Option.Option<number>
  readonly restartInterval: Option.Option<string>
  readonly memory: Option.Option<string>
  readonly timeLimit: Option.Option<string>
  readonly env: ReadonlyArray<string>
}

/** Returns the options as they are sent. An error message names the flag of a wrong one. */
export const runOptionsOf = (input: SubmitInput) =>
  encodeRunOptions({
    priority: input.priority,
    memory: sizeOf(input.memory),
    timeLimit: durationOf(input.timeLimit),
    env: input.env,
    restart: {
      policy: input.restart,
      delay: durationOf(input.restartDelay),
      times: Option.getOrUndefined(input.restartTimes),
      maxDelay: durationOf(input.restartMaxDelay),
      failures: Option.getOrUndefined(input.restartFailures),
      interval: durationOf(input.restartInterval)
    }
  }, (setting) => flag(setting.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())))
