/** The public HTTP API of a Ray cluster: jobs, packages and the state of actors. */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { RaySettings } from "../raySettings.ts"
import { type Answer, HttpClient } from "./httpClient.ts"
import { RayError } from "./rayError.ts"

/** The state of a Ray job. */
export interface JobDetails {
  readonly status: "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED"
  readonly message?: string | null
}

export const isFinal = ({ status }: JobDetails): boolean =>
  status === "STOPPED" || status === "SUCCEEDED" || status === "FAILED"

export interface ActorState {
  readonly actor_id: string
  readonly state: string
}

interface NodeState {
  readonly state: string
  readonly resources_total: Readonly<Record<string, number>>
  readonly labels?: Readonly<Record<string, string>> | null
}

export class RayApi {
  readonly #settings: RaySettings
  readonly #http: HttpClient
  /** The address for people: without the password that it may contain. */
  readonly #shown: string

  constructor(settings: RaySettings) {
    this.#settings = settings
    this.#http = new HttpClient(new URL(settings.address), settings.token)
    this.#shown = settings.address.replace(/\/\/[^/@]*@/, "//")
  }

  close(): void {
    this.#http.close()
  }

  submit(job: object): Effect.Effect<void, RayError> {
    // Ray has no such path without the slash at its end
    return Effect.asVoid(this.#ask("POST", "/api/jobs/", JSON.stringify(job)))
  }

  job(id: string): Effect.Effect<JobDetails, RayError> {
    return this.#read("GET", `/api/jobs/${id}`, readDetails)
  }

  /** Returns true if the cluster knows a job of that id. */
  hasJob(id: string): Effect.Effect<boolean, RayError> {
    return Effect.map(this.#request("GET", `/api/jobs/${id}`), ({ status }) => status !== 404)
  }

  logs(id: string): Effect.Effect<string, RayError> {
    return this.#read("GET", `/api/jobs/${id}/logs`, readLogs)
  }

  stop(id: string): Effect.Effect<void, RayError> {
    return Effect.asVoid(this.#ask("POST", `/api/jobs/${id}/stop`))
  }

  delete(id: string): Effect.Effect<void, RayError> {
    return Effect.asVoid(this.#ask("DELETE", `/api/jobs/${id}`))
  }

  /** Uploads an archive, unless the cluster has it, and returns its URI. */
  upload(archive: Uint8Array): Effect.Effect<string, RayError> {
    const name = `_ray_pkg_${createHash("sha256").update(archive).digest("hex").slice(0, 16)}.zip`
    const path = `/api/packages/gcs/${name}`
    return this.#request("GET", path).pipe(
      Effect.flatMap((found) =>
        found.status === 404
          ? this.#ask("PUT", path, archive, "application/octet-stream")
          : this.#checked("GET", path, found)
      ),
      Effect.as(`gcs://${name}`)
    )
  }

  /** The actors of a job, by the id of the job itself, not of its submission. */
  actors(jobId: string): Effect.Effect<ReadonlyArray<ActorState>, RayError> {
    const filter = `filter_keys=job_id&filter_predicates=%3D&filter_values=${jobId}`
    return this.#read("GET", `/api/v0/actors?limit=10000&${filter}`, (body) => listIn(body, isActor))
  }

  /** The resources and labels of the nodes that are alive, without those that Ray gives to each node. */
  nodes(): Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, RayError> {
    return this.#read(
      "GET",
      "/api/v0/nodes?detail=true&limit=10000",
      (body) =>
        listIn(body, isNode).filter(({ state }) => state === "ALIVE").map(({ labels, resources_total }) =>
          Object.fromEntries(
            Object.entries({ ...resources_total, ...labels }).toSorted().filter(([name]) =>
              !/^(node:|ray\.io\/|object_store)/.test(name)
            )
          )
        )
    )
  }

  /** Reads the JSON of an answer, which may come from something else than Ray. */
  #read<A>(method: string, path: string, read: (body: unknown) => A): Effect.Effect<A, RayError> {
    return Effect.flatMap(this.#ask(method, path), (text) =>
      Effect.try({
        try: () => read(JSON.parse(text)),
        catch: () => this.#failed(`answered ${method} ${path} with what is not its JSON: ${brief(text)}`)
      }))
  }

  #ask(method: string, path: string, body?: string | Uint8Array, type?: string): Effect.Effect<string, RayError> {
    return Effect.flatMap(this.#request(method, path, body, type), (answer) => this.#checked(method, path, answer))
  }

  #checked(method: string, path: string, { status, text }: Answer): Effect.Effect<string, RayError> {
    if (status >= 200 && status < 300) return Effect.succeed(text)
    const { names, token } = this.#settings
    if (status === 401 || status === 403) {
      const refusal = token === undefined ? "asks for a token" : "refuses the token"
      return Effect.fail(this.#failed(`${refusal} (${status}): set ${names.token}`))
    }
    const advice = status === 413
      ? "; the upload is too large for it: have less in the working_dir of runtime_env"
      : ""
    return Effect.fail(this.#failed(`answered ${method} ${path} with ${status}: ${brief(text)}${advice}`))
  }

  #failed(what: string): RayError {
    return RayError.of(`Ray at ${this.#shown} (${this.#settings.names.address}) ${what}`)
  }

  #request(method: string, path: string, body?: string | Uint8Array, type?: string): Effect.Effect<Answer, RayError> {
    return Effect.mapError(this.#http.request({ method, path, body, type }), (why) =>
      RayError.of(
        `Ray could not be reached at ${this.#shown} (${this.#settings.names.address}): ${why}; ` +
          "its API is that of the dashboard, which `ray[default]` has and plain `ray` does not"
      ))
  }
}

/** The functions that read the documented forms throw for any other one. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) throw new Error("it is no object")
  return value as Readonly<Record<string, unknown>> // safe: it is an object
}

const statuses = ["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"] as const

const readDetails = (body: unknown): JobDetails => {
  const { message, status: given } = fieldsOf(body)
  const status = statuses.find((one) => one === given)
  if (status === undefined) throw new Error("it has no status")
  return { status, message: typeof message === "string" ? message : null }
}

const readLogs = (body: unknown): string => {
  const { logs } = fieldsOf(body)
  return typeof logs === "string" ? logs : ""
}

const isActor = (value: unknown): value is ActorState => {
  const { actor_id: id, state } = fieldsOf(value)
  return typeof id === "string" && typeof state === "string"
}

const isNode = (value: unknown): value is NodeState => typeof fieldsOf(value)["state"] === "string"

/** The list in an answer of the API of states. */
const listIn = <A>(body: unknown, isElement: (value: unknown) => value is A): ReadonlyArray<A> => {
  const { result } = fieldsOf(fieldsOf(fieldsOf(body)["data"])["result"])
  if (!Array.isArray(result) || !result.every(isElement)) throw new Error("it has no such list")
  return result
}

/** The last line of a traceback names the error. */
const brief = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 500) ?? ""
