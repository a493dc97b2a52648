/**
 * The token that a manager makes for its own user at each start, and how programs of that user find it: by a record of the
 * manager in the user's state folder, named after the machine and the port.
 */
import * as Schema from "effect/Schema"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { messageOf } from "../base/errorText.ts"
import { signal } from "../process/processGroup.ts"
import { readProcess } from "../process/processTable.ts"
import { isLoopback } from "./loopback.ts"
import { createPrivateFolder, readPrivate, userFolder, writePrivate } from "./privateFiles.ts"

/** A manager of this user that runs on this machine. */
const Record = Schema.fromJsonString(Schema.Struct({
  url: Schema.String,
  token: Schema.String,
  pid: Schema.Int,
  /** The start of its process, where the system tells: another process may have its id by now. */
  start: Schema.optionalKey(Schema.Int)
}))

/** The token of one manager, from its start to its end. */
export class LocalToken {
  readonly text = randomBytes(32).toString("base64url")
  readonly #file: string
  #url: string | undefined
  #record: string | undefined

  /** Writes the token into the folder of the manager. */
  constructor(folder: string) {
    this.#file = fileOf(folder)
    writePrivate(this.#file, `${this.text}\n`)
  }

  /** Lets the user's programs find the token. Returns why they cannot, and what to give them, if so. */
  publish(url: string): string | undefined {
    this.#url = url
    try {
      const folder = createStateFolder()
      forgetGone(folder)
      const file = recordOf(folder, new URL(url))
      const start = readProcess(process.pid)?.start
      const record = { url, token: this.text, pid: process.pid, ...(start === undefined ? {} : { start }) }
      writePrivate(file, Schema.encodeSync(Record)(record))
      this.#record = file
      return undefined
    } catch (error) {
      return this.#unpublished(messageOf(error))
    }
  }

  /** Answers a client that has found the token and asks whether this is the manager that has made it. */
  prove(nonce: string): string | undefined {
    return this.#url === undefined ? undefined : proofOf({ url: this.#url, token: this.text }, nonce)
  }

  /** Removes the record, because the port may soon be another one's. What another manager has written since stays. */
  unpublish(): void {
    if (this.#record !== undefined && readRecord(this.#record)?.token === this.text) {
      rmSync(this.#record, { force: true })
    }
  }

  /** Removes what was written. */
  remove(): void {
    this.unpublish()
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

/** The proof that a server has a token. It holds for one address and one question. */
const proofOf = ({ token, url }: FoundToken, nonce: string): string =>
  createHmac("sha256", token).update(`autostop proof\n${url}\n${nonce}`).digest("hex")

/** Returns true if an answer proves that its server is the manager which has made the token. */
export const isProof = (found: FoundToken, nonce: string, proof: unknown): boolean => {
  if (typeof proof !== "string") return false
  const [given, expected] = [Buffer.from(proof), Buffer.from(proofOf(found, nonce))]
  return given.length === expected.length && timingSafeEqual(given, expected)
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
    if (record === undefined || !isRunning(record)) return undefined
    // another user may listen on another loopback address: "localhost" is the one of the manager
    return hostname === "localhost" || hostname === new URL(record.url).hostname ? record : undefined
  } catch {
    return undefined
  }
}

/** Creates the state folder, which nobody else may enter; throws if it cannot be kept private. */
export const createStateFolder = (): string => {
  const folder = stateFolder()
  const fault = createPrivateFolder(folder)
  if (fault !== undefined) throw new Error(fault)
  return folder
}

/** The folder in which programs keep what they know of this user's machine. */
const stateFolder = (): string => userFolder("XDG_STATE_HOME", ".local", "state")

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

/** Returns true while the process of a manager runs. */
const isRunning = ({ pid, start }: typeof Record.Type): boolean =>
  signal(pid, 0) && (start === undefined || readProcess(pid)?.start === start)

/** Removes the records of managers that died without doing so. */
const forgetGone = (folder: string): void => {
  for (const name of readdirSync(folder).filter((name) => name.startsWith(prefix()) && name.endsWith(".json"))) {
    const file = join(folder, name)
    const record = readRecord(file)
    if (record === undefined || !isRunning(record)) rmSync(file, { force: true })
  }
}
