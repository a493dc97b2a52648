/** The public HTTP API of a Ray cluster: jobs, packages and the state of actors. */
import { createHash } from "node:crypto"
import * as http from "node:http"
import * as https from "node:https"
import type { RaySettings } from "../raySettings.ts"

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

/** The limit of an answer. */
const answerMs = 30_000

interface Answer {
  readonly status: number
  readonly text: string
}

/** A request that a cluster refused, or that did not reach it. */
export class RayApiError extends Error {
  override readonly name = "RayApiError"
}

export class RayApi {
  readonly #settings: RaySettings
  readonly #agent: http.Agent
  readonly #base: URL
  /** The address for people: without the password that it may contain. */
  readonly #shown: string

  constructor(settings: RaySettings) {
    this.#settings = settings
    this.#base = new URL(settings.address)
    this.#shown = settings.address.replace(/\/\/[^/@]*@/, "//")
    this.#agent = this.#base.protocol === "https:"
      ? new https.Agent({ keepAlive: true })
      : new http.Agent({ keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  async submit(job: object): Promise<void> {
    // Ray has no such path without the slash at its end
    await this.#ask("POST", "/api/jobs/", JSON.stringify(job))
  }

  async job(id: string): Promise<JobDetails> {
    // safe: this is the documented form of a job
    return JSON.parse(await this.#ask("GET", `/api/jobs/${id}`)) as JobDetails
  }

  /** Returns true if the cluster knows a job of that id. */
  async hasJob(id: string): Promise<boolean> {
    return (await this.#request("GET", `/api/jobs/${id}`)).status !== 404
  }

  async logs(id: string): Promise<string> {
    const { logs } = JSON.parse(await this.#ask("GET", `/api/jobs/${id}/logs`)) as { readonly logs?: string }
    return logs ?? ""
  }

  async stop(id: string): Promise<void> {
    await this.#ask("POST", `/api/jobs/${id}/stop`)
  }

  async delete(id: string): Promise<void> {
    await this.#ask("DELETE", `/api/jobs/${id}`)
  }

  /** Uploads an archive, unless the cluster has it, and resolves with its URI. */
  async upload(archive: Uint8Array): Promise<string> {
    const name = `_ray_pkg_${createHash("sha256").update(archive).digest("hex").slice(0, 16)}.zip`
    const path = `/api/packages/gcs/${name}`
    const found = await this.#request("GET", path)
    if (found.status === 404) await this.#ask("PUT", path, archive, "application/octet-stream")
    else this.#checked("GET", path, found)
    return `gcs://${name}`
  }

  /** The actors of a job, by the id of the job itself, not of its submission. */
  async actors(jobId: string): Promise<ReadonlyArray<ActorState>> {
    const filter = `filter_keys=job_id&filter_predicates=%3D&filter_values=${jobId}`
    const answer = JSON.parse(await this.#ask("GET", `/api/v0/actors?limit=10000&${filter}`)) as {
      readonly data: { readonly result: { readonly result: ReadonlyArray<ActorState> } }
    }
    return answer.data.result.result
  }

  /** The resources and labels of the nodes that are alive, without those that Ray gives to each node. */
  async nodes(): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> {
    const answer = JSON.parse(await this.#ask("GET", "/api/v0/nodes?detail=true&limit=10000")) as {
      readonly data: { readonly result: { readonly result: ReadonlyArray<NodeState> } }
    }
    return answer.data.result.result.filter(({ state }) => state === "ALIVE").map(({ labels, resources_total }) =>
      Object.fromEntries(
        Object.entries({ ...resources_total, ...labels }).toSorted().filter(([name]) =>
          !/^(node:|ray\.io\/|object_store)/.test(name)
        )
      )
    )
  }

  async #ask(method: string, path: string, body?: string | Uint8Array, type?: string): Promise<string> {
    return this.#checked(method, path, await this.#request(method, path, body, type))
  }

  #checked(method: string, path: string, { status, text }: Answer): string {
    if (status >= 200 && status < 300) return text
    const { names, token } = this.#settings
    const address = this.#shown
    if (status === 401 || status === 403) {
      throw new RayApiError(
        `Ray at ${address} (${names.address}) ${
          token === undefined ? "asks for a token" : "refuses the token"
        } (${status}): ` +
          `set ${names.token}`
      )
    }
    throw new RayApiError(
      `Ray at ${address} (${names.address}) answered ${method} ${path} with ${status}: ${brief(text)}${
        status === 413 ? "; the upload is too large for it: have less in the working_dir of runtime_env" : ""
      }`
    )
  }

  #request(method: string, path: string, body?: string | Uint8Array, type = "application/json"): Promise<Answer> {
    const { names, token } = this.#settings
    const bytes = body === undefined ? undefined : Buffer.from(body)
    return new Promise((resolve, reject) => {
      const failed = (error: Error & { readonly code?: string }) => {
        // the server closed an idle connection while the request was sent
        if (request.reusedSocket && error.code === "ECONNRESET") {
          return resolve(this.#request(method, path, body, type))
        }
        reject(
          new RayApiError(
            `Ray could not be reached at ${this.#shown} (${names.address}): ${error.message || (error.code ?? "")}; ` +
              "its API is that of the dashboard, which `ray[default]` has and plain `ray` does not"
          )
        )
      }
      const request = (this.#base.protocol === "https:" ? https : http).request(
        new URL(this.#base.pathname.replace(/\/$/, "") + path, this.#base),
        {
          method,
          agent: this.#agent,
          timeout: answerMs,
          headers: {
            ...(bytes === undefined ? {} : { "content-type": type, "content-length": bytes.length }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
          }
        },
        (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("error", failed)
          response.on(
            "end",
            () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") })
          )
        }
      )
      request.on("timeout", () => request.destroy(new Error(`no answer within ${answerMs} ms`)))
      request.on("error", failed)
      request.end(bytes)
    })
  }
}

/** The last line of a traceback names the error. */
const brief = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 500) ?? ""
