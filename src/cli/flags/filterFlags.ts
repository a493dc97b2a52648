/** The flags that say which jobs are meant. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type { Client } from "../../manager/client/apiClient.ts"
import { JobState } from "../../manager/models.ts"
import { readSince, sinceForm } from "../../manager/since.ts"
import { Outcome, Trigger } from "../../StopReport.ts"

export const sinceFlag = (description: string) =>
  Flag.String("since").pipe(
    Flag.withDescription(`${description}: ${sinceForm}`),
    Flag.withMetavar("time"),
    Flag.filter((text) => readSince(text, 0) !== undefined, () => sinceForm),
    Flag.optional
  )

export const filterFlags = {
  name: Flag.String("name").pipe(
    Flag.withAlias("job"),
    Flag.withDescription("Only jobs of this name"),
    Flag.optional
  ),
  state: Flag.Literals("state", JobState.literals).pipe(
    Flag.withDescription("Only jobs in this state"),
    Flag.optional
  ),
  outcome: Flag.Literals("outcome", Outcome.literals).pipe(
    Flag.withDescription("Only jobs that ended so"),
    Flag.optional
  ),
  unclean: Flag.Boolean("unclean").pipe(
    Flag.withDescription("Only jobs that left something behind"),
    Flag.withDefault(false)
  ),
  since: sinceFlag("Only jobs that were submitted since then"),
  trigger: Flag.Literals("trigger", Trigger.literals).pipe(
    Flag.withDescription("Only jobs whose stop began so"),
    Flag.optional
  ),
  text: Flag.String("text").pipe(
    Flag.withDescription("Only jobs that have this text in their id or their name"),
    Flag.optional
  )
}

/** The flags, for a message about them. */
export const filterNames = Object.keys(filterFlags).map((name) => `--${name}`).join(", ")

export interface FilterInput {
  readonly name: Option.Option<string>
  readonly state: Option.Option<JobState>
  readonly outcome: Option.Option<Outcome>
  readonly unclean: boolean
  readonly since: Option.Option<string>
  readonly trigger: Option.Option<Trigger>
  readonly text: Option.Option<string>
}

export type Conditions = Omit<Parameters<Client["jobs"]["counts"]>[0]["query"], "prefix">

/** Returns the conditions of a request. They are none if no flag was given. */
export const conditionsOf = (input: FilterInput): Conditions => ({
  ...(Option.isSome(input.name) ? { job: input.name.value } : {}),
  ...(Option.isSome(input.state) ? { state: input.state.value } : {}),
  ...(Option.isSome(input.outcome) ? { outcome: input.outcome.value } : {}),
  ...(input.unclean ? { clean: false } : {}),
  ...(Option.isSome(input.since) ? { since: input.since.value } : {}),
  ...(Option.isSome(input.trigger) ? { trigger: input.trigger.value } : {}),
  ...(Option.isSome(input.text) ? { text: input.text.value } : {})
})
