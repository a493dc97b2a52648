/** What a job may know of the environment of its manager. The rest, and above all its secrets, is none of its business. */
const allowed = /^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|TZ|NODE_OPTIONS|AUTOSTOP_[A-Z0-9_]+)$/

/** Gives access to the manager itself. */
const never = /^AUTOSTOP_(READ_)?TOKEN/

export const childEnv = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv =>
  Object.fromEntries(
    [...Object.entries(process.env).filter(([name]) => allowed.test(name)), ...Object.entries(extra)]
      .filter(([name]) => !never.test(name))
  )
