import { isManagersOwn } from "../jobVariables.ts"

/** The variables of the manager that a job gets. It gets no others, because they may be secrets. */
const inherited = /^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|TZ|NODE_OPTIONS|NODE_COMPILE_CACHE|AUTOSTOP_[A-Z0-9_]+)$/

/** A job that uses Ray is given its token as any other secret. */
const isSecret = (name: string): boolean => isManagersOwn(name) || name === "AUTOSTOP_RAY_TOKEN"

/** Returns the environment of the process of a job. */
export const jobEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv =>
  Object.fromEntries([
    ...Object.entries(process.env).filter(([name]) => inherited.test(name) && !isSecret(name)),
    ...Object.entries(extra).filter(([name]) => !isManagersOwn(name))
  ])
