import type { Signal } from "@preact/signals"
import type { JobState, Outcome } from "../api/models.ts"
import { whole } from "../../base/format.ts"
import { shapeOf } from "../parts/marks.tsx"
import { SearchField } from "../parts/searchField.tsx"
import type { JobFilter } from "../state/jobList.ts"
import { counts } from "../state/jobs.ts"

const states: ReadonlyArray<JobState> = ["stopping", "running", "starting", "queued", "stopped"]
const outcomes: ReadonlyArray<Outcome> = ["succeeded", "failed", "cancelled"]

/** The counts by state are the filters; a second press takes one back. */
export const Filters = ({ filter }: { readonly filter: Signal<JobFilter> }) => {
  const now = filter.value
  const toggle = (change: JobFilter) => {
    const { outcome, state, text, unclean } = { ...now, ...change }
    filter.value = {
      ...(state === undefined ? {} : { state }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(unclean === true ? { unclean } : {}),
      ...(text === undefined || text === "" ? {} : { text })
    }
  }
  const without = <K extends keyof JobFilter>(name: K): JobFilter => {
    const { [name]: _, ...rest } = now
    return rest
  }
  return (
    <div class="filters" role="group" aria-label="Filters">
      {states.map((state) => (
        <button
          key={state}
          type="button"
          class={`count ${state}`}
          aria-pressed={now.state === state}
          onClick={() => now.state === state ? filter.value = without("state") : toggle({ state })}
        >
          <span class="shape" aria-hidden="true">{shapeOf(state)}</span>
          <b>{whole(counts.value[state])}</b> {state}
        </button>
      ))}
      <label class="inline">
        Outcome{" "}
        <select
          value={now.outcome ?? ""}
          onChange={(event) => {
            const outcome = outcomes.find((name) => name === event.currentTarget.value)
            if (outcome === undefined) filter.value = without("outcome")
            else toggle({ outcome })
          }}
        >
          <option value="">any</option>
          {outcomes.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </label>
      <label class="inline">
        <input
          type="checkbox"
          checked={now.unclean === true}
          onChange={() => now.unclean === true ? filter.value = without("unclean") : toggle({ unclean: true })}
        />{" "}
        unclean
      </label>
      <SearchField label="Search" placeholder="name or id" value={now.text ?? ""} onText={(text) => toggle({ text })} />
    </div>
  )
}
