/** The variables of the manager that a job gets. It gets no others, because they may be secrets. */
const inherited = /^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|TZ|NODE_OPTIONS|NODE_COMPILE_CACHE|AUTOSTOP_[A-Z0-9_]+)$/

/** The tokens of the manager itself, and the URL of its store, which may have a password. */
const secret = /^AUTOSTOP_((READ_)?TOKEN|STORE)/

/** Returns the environment of the process of a job. */
export const jobEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv =>
  Object.fromEntries(
    [...Object.entries(process.env).filter(([name]) => inherited.test(name)), ...Object.entries(extra)]
      .filter(([name]) => !secret.test(name))
  )
