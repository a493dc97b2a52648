/** The environment variables that jobs get besides those that every job gets. Their values are in no store. */

/** The variables of a manager for its jobs. */
export interface JobVariables {
  /** The names of variables of the manager's process that each job gets. */
  readonly each: ReadonlyArray<string>
  /** The variables that a job gets if its submit names them. */
  readonly byName: Readonly<Record<string, string>>
}

/** The form of the name of a variable, for people. */
export const variableForm = "letters, digits and `_`, no digit first"

export const isVariableName = (name: unknown): name is string =>
  typeof name === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

/** Returns true for the variables of the manager itself: its tokens, and the URL of its store, which may have a password. */
export const isManagersOwn = (name: string): boolean => /^AUTOSTOP_((READ_)?TOKEN|STORE)$/.test(name)

/** Returns what is wrong with the names that a submit asks for, if something is. */
export const unknownVariable = (
  { byName, each }: JobVariables,
  names: ReadonlyArray<string> = []
): string | undefined => {
  const unknown = names.find((name) => !Object.hasOwn(byName, name) && !each.includes(name))
  if (unknown === undefined) return undefined
  const there = [...each, ...Object.keys(byName)]
  const known = there.length === 0 ? "there are none" : `there are ${there.join(", ")}`
  return `this job manager has no variable "${unknown}" for jobs; ${known}`
}

/** Returns the variables of a job whose submit asks for these names. */
export const variablesOf = (
  { byName, each }: JobVariables,
  names: ReadonlyArray<string> = []
): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ...each.flatMap((name) => process.env[name] === undefined ? [] : [[name, process.env[name]] as const]),
    ...names.flatMap((name) => Object.hasOwn(byName, name) ? [[name, byName[name] ?? ""] as const] : [])
  ])
