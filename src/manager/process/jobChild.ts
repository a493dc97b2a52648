/** The process of a job before it has its job. */
import { statSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { ChildProcess } from "../../process/childProcess.ts"
import { entryPoint } from "../../process/entryPoints.ts"
import { nodeArgs } from "../code/confinement.ts"
import type { Code, Limits } from "../JobProcess.ts"
import { jobEnvironment } from "./jobEnvironment.ts"
import { heapArgs } from "./resourceLimits.ts"

/** The arguments and variables of a process. Processes with the same settings can take each other's jobs. */
export interface ChildSettings {
  readonly nodeArgs: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
}

export interface ChildNeeds {
  readonly confinement?: Code["confinement"]
  readonly limits?: Limits | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The files that it may write, if it is confined. */
  readonly writable?: ReadonlyArray<string>
}

export const childSettings = ({ confinement, env, limits = {}, writable }: ChildNeeds): ChildSettings => ({
  nodeArgs: [...heapArgs(limits), ...nodeArgs(confinement, writable)],
  env: jobEnvironment(env)
})

/** A module as it is now. */
export interface ModuleVersion {
  readonly url: string
  /** The time at which its file was changed last, in milliseconds since 1970; 0 for what is no file. */
  readonly changedAt: number
}

export const moduleVersion = (url: string): ModuleVersion => ({
  url,
  changedAt: url.startsWith("file:") ? statSync(new URL(url), { throwIfNoEntry: false })?.mtimeMs ?? 0 : 0
})

export const areSame = (a: ChildSettings, b: ChildSettings): boolean => isDeepStrictEqual(a, b)

const jobMain = entryPoint(import.meta.url, "./jobMain")

/** Starts a process that loads everything but the module of its job, and waits for that. */
export const newChild = (settings: ChildSettings): ChildProcess =>
  new ChildProcess({ entry: jobMain, output: "stdout and stderr", ...settings })
