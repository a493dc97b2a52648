/**
 * The token that a manager makes for its own user at each start, and how programs of that user find it: by a record of the
 * manager in the user's state folder, named after the machine and the port.
 */
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { homedir, hostname } from "node:os"
import { isAbsolute, join } from "node:path"
import { messageOf } from "../base/errorText.ts"
import { signal } from "../process/processGroup.ts"
import { isLoopback } from "./loopback.ts"
import { keepPrivate, readPrivate, writePrivate } from "./privateFiles.ts"

/** A manager of this user that runs on this machine. */
const Record = Schema.fromJsonString(Schema.Struct({ url: Schema.String, token: Schema.String, pid: Schema.Int }))

/** The token of one manager, from its start to its end. */
export class LocalToken {
  readonly text = randomBytes(32).toString("base64url")
  readonly #file: string
  #record: string | undefined

  /** Writes the token into the folder of the manager. */
  constructor(folder: string) {
    this.#file = fileOf(folder)
    writePrivate(this.#file, `${this.text}\n`)
  }

  /** Lets the user's programs find the token. Returns why they cannot, and what to give them, if so. */
  publish(url: string): string | undefined {
    try {
      const folder = stateFolder()
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const fault = keepPrivate(folder)
      if (fault !== undefined) return this.#unpublished(fault)
      forgetGone(folder)
      const file = recordOf(folder, new URL(url))
      writePrivate(file, Schema.encodeSync(Record)({ url, token: this.text, pid: process.pid }))
      this.#record = file
      return undefined
    } catch (error) {
      return this.#unpublished(messageOf(error))
    }
  }

  /** Removes what was written. What another manager has written since stays. */
  remove(): void {
    if (this.#record !== undefined && readRecord(this.#record)?.token === this.text) {
      rmSync(this.#record, { force: true })
    }
    rmSync(this.#file, { force: true })
  }

  #unpublished(why: string): string {
    return `programs of this user do not find the token by themselves (${why}): give them --token-file ${this.#file}`
  }
}

const fileOf = (folder: string): string => join(folder, "local.token")

/** Removes what an earlier manager in this folder or on this port has left, because this one has other tokens or none. */
export const forgetLocalToken = (folder: string, url: string): void => {
  try {
    rmSync(fileOf(folder), { force: true })
    rmSync(recordOf(stateFolder(), new URL(url)), { force: true })
  } catch {
    // without a state folder there is no record
  }
}

/** A token that was found, and the URL of the manager that made it. */
export interface FoundToken {
  readonly url: string
  readonly token: string
}

/**
 * Returns the token of this user's manager at a loopback URL, if it made one and still runs: a token is never sent to who took
 * the port of a manager that has died.
 */
export const findToken = (url: string): FoundToken | undefined => {
  const parsed = URL.parse(url)
  if (parsed?.protocol !== "http:" || !isLoopback(parsed.hostname)) return undefined
  const { hostname } = parsed
  try {
    const record = readRecord(recordOf(stateFolder(), parsed))
    if (record === undefined || !signal(record.pid, 0)) return undefined
    // another user may listen on another loopback address: "localhost" is the one of the manager
    return hostname === "localhost" || hostname === new URL(record.url).hostname ? record : undefined
  } catch {
    return undefined
  }
}

/** The folder in which programs keep what they know of this user's machine. */
const stateFolder = (): string => {
  const given = process.env["XDG_STATE_HOME"]
  const state = given !== undefined && isAbsolute(given) ? given : join(homedir(), ".local", "state")
  return join(state, "autostop")
}

// a home may be shared by several machines
const prefix = (): string => `${hostname()}-`

const recordOf = (folder: string, { port }: URL): string => join(folder, `${prefix()}${port || "80"}.json`)

/** Reads a record. One that others could read or write, or that is damaged, is none. */
const readRecord = (file: string): typeof Record.Type | undefined => {
  const read = readPrivate(file)
  if (read?._tag !== "Text") return undefined
  try {
    return Schema.decodeUnknownSync(Record)(read.text)
  } catch {
    return undefined
  }
}

/** Removes the records of managers that died without doing so. */
const forgetGone = (folder: string): void => {
  for (const name of readdirSync(folder).filter((name) => name.startsWith(prefix()) && name.endsWith(".json"))) {
    const file = join(folder, name)
    const record = readRecord(file)
    if (record === undefined || !signal(record.pid, 0)) rmSync(file, { force: true })
  }
}
