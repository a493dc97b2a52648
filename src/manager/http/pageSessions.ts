/** The sessions of browsers that `autostop open` has opened the page in. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import type { Role } from "../Authorization.ts"

const codeMs = 60_000
const sessionMs = 12 * 60 * 60_000
/** The largest number of codes, and of sessions: a new one takes the place of the oldest. */
const most = 256

interface Granted {
  readonly role: Role
  readonly until: number
}

export interface PageSession {
  /** A bearer token that holds until its time is over or the manager ends. */
  readonly token: string
  readonly role: Role
}

/**
 * A browser gets a code in place of a token, because others may see what it is started with. The code holds for a minute and
 * once, and is exchanged for a token of the browser's own.
 */
export class PageSessions {
  readonly #codes = new Map<string, Granted>()
  readonly #sessions = new Map<string, Granted>()

  /** True once a browser has opened the page with a code. */
  get areAny(): boolean {
    return this.#sessions.size > 0
  }

  /** Returns a new code for a client that has this role. */
  readonly newCode = (role: Role): Effect.Effect<string> => grant(this.#codes, role, codeMs)

  /** Exchanges a code, or returns `undefined` if it is unknown, used or too old. */
  readonly exchange = (code: string): Effect.Effect<PageSession | undefined> =>
    Effect.flatMap(take(this.#codes, code), (role) =>
      role === undefined
        ? Effect.undefined
        : Effect.map(grant(this.#sessions, role, sessionMs), (token) => ({ token, role })))

  /** Returns the role of a session's token, or `undefined` if it is none. */
  readonly roleOf = (token: string): Effect.Effect<Role | undefined> => look(this.#sessions, token)
}

// secrets are looked up by their digests, so that the time of the lookup tells nothing of them
const digest = (secret: string): string => createHash("sha256").update(secret).digest("hex")

const grant = (all: Map<string, Granted>, role: Role, ms: number): Effect.Effect<string> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const secret = randomBytes(32).toString("base64url")
    all.set(digest(secret), { role, until: now + ms })
    for (const oldest of all.keys()) if (all.size > most) all.delete(oldest)
    return secret
  })

const look = (all: ReadonlyMap<string, Granted>, secret: string): Effect.Effect<Role | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const granted = all.get(digest(secret))
    return granted !== undefined && now < granted.until ? granted.role : undefined
  })

const take = (all: Map<string, Granted>, secret: string): Effect.Effect<Role | undefined> =>
  Effect.tap(look(all, secret), () => Effect.sync(() => all.delete(digest(secret))))
