import { readdirSync } from "node:fs"
import { type Case, isCase } from "./case.ts"

const folder = new URL("./cases/", import.meta.url)

/** The names of the cases: one for each file. */
export const caseNames = (): ReadonlyArray<string> =>
  readdirSync(folder).filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3)).toSorted()

export const loadCase = async (name: string): Promise<Case> => {
  if (!caseNames().includes(name)) {
    throw new Error(`there is no case "${name}"; there are ${caseNames().join(", ")}`)
  }
  const module: { readonly default?: unknown } = await import(new URL(`${name}.ts`, folder).href)
  if (!isCase(module.default)) throw new Error(`the default export of bench/cases/${name}.ts is not a case`)
  return module.default
}
