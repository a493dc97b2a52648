/** The settings of a submit: its id, its stop, its restarts, its limits. What is left empty is left to the job and the manager. */

/** The texts as the user has written them; an empty one is not sent. */
export type Settings = Readonly<Record<string, string>>

interface SettingField {
  readonly name: string
  readonly label: string
  readonly placeholder?: string
  readonly choices?: ReadonlyArray<string>
}

const stopFields: ReadonlyArray<SettingField> = [
  { name: "strategy", label: "Strategy", choices: ["graceful", "fast", "immediate", "patient"] },
  { name: "deadline", label: "Deadline", placeholder: "25 seconds" },
  { name: "drainTimeout", label: "Drain", placeholder: "10 seconds" },
  { name: "cancelTimeout", label: "Cancel", placeholder: "5 seconds" },
  { name: "releaseTimeout", label: "Release of a service", placeholder: "5 seconds" }
]
const limitFields: ReadonlyArray<SettingField> = [
  { name: "id", label: "Id", placeholder: "a random one" },
  { name: "priority", label: "Priority", placeholder: "0" },
  { name: "memory", label: "Memory (MiB)" },
  { name: "time", label: "Time (s)" },
  { name: "restart", label: "Restart", choices: ["fixed", "exponential"] },
  { name: "restartDelay", label: "Restart delay (s)", placeholder: "1" },
  { name: "restartTimes", label: "Restarts at most" }
]

interface SettingsFieldsProps {
  readonly settings: Settings
  readonly onChange: (settings: Settings) => void
}

export const SettingsFields = ({ onChange, settings }: SettingsFieldsProps) => {
  const set = (name: string, value: string) => onChange({ ...settings, [name]: value })
  const field = ({ choices, label, name, placeholder = "" }: SettingField) => (
    <label key={name}>
      {label}
      {choices === undefined
        ? (
          <input
            value={settings[name] ?? ""}
            placeholder={placeholder}
            onInput={(event) => set(name, event.currentTarget.value)}
          />
        )
        : (
          <select value={settings[name] ?? ""} onChange={(event) => set(name, event.currentTarget.value)}>
            <option value="">as the job says</option>
            {choices.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
          </select>
        )}
    </label>
  )
  return (
    <>
      <details>
        <summary>Stop policy</summary>
        <div class="grid">{stopFields.map(field)}</div>
      </details>
      <details>
        <summary>Id, limits and restarts</summary>
        <div class="grid">{limitFields.map(field)}</div>
      </details>
    </>
  )
}

/** Returns the settings as a submission has them. What is no number is sent as it is, so that the manager says what is wrong. */
export const submissionOf = (settings: Settings): object => {
  const given = (name: string): string | undefined => settings[name]?.trim() || undefined
  const number = (name: string, factor = 1): number | string | undefined => {
    const text = given(name)
    return text === undefined || !Number.isFinite(Number(text)) ? text : Number(text) * factor
  }
  const policy = given("restart")
  return defined({
    id: given("id"),
    priority: number("priority"),
    memory: number("memory", 2 ** 20),
    timeMs: number("time", 1_000),
    restart: policy &&
      defined({ policy, delayMs: number("restartDelay", 1_000) ?? 1_000, times: number("restartTimes") }),
    stopPolicy: ifAny(defined(Object.fromEntries(stopFields.map(({ name }) => [name, given(name)]))))
  })
}

const defined = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const ifAny = (fields: object): object | undefined => Object.keys(fields).length === 0 ? undefined : fields
