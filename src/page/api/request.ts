/** Asks the API of the manager that has served the page. */
import { askForToken, role, token } from "./session.ts"

/** The API lies beside the page, also where a proxy has put both beneath a path. */
const base = new URL(".", location.href)

/** An answer that is a refusal, or no answer; its message is for people. */
export class ApiError extends Error {
  readonly status: number
  readonly tag: string

  constructor(status: number, tag: string, message: string) {
    super(message)
    this.status = status
    this.tag = tag
  }
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "DELETE"
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** Sends a request with the token in a header, and returns the answer; fails with an `ApiError`. */
export const request = async (path: string, options: RequestOptions = {}): Promise<Response> => {
  const { body, method = "GET", signal } = options
  const sent = token.peek()
  const response = await fetch(new URL(path, base), {
    method,
    cache: "no-store",
    credentials: "omit",
    headers: {
      ...(sent === "" ? {} : { authorization: `Bearer ${sent}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal })
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause
    throw new ApiError(0, "Unreachable", "the manager does not answer")
  })
  if (response.ok) return response
  const error = await errorOf(response)
  if (error.status === 401) askForToken(sent, error.message)
  if (error.status === 403 && method !== "GET") role.value = "read"
  throw error
}

const errorOf = async (response: Response): Promise<ApiError> => {
  const answer: unknown = await response.json().catch(() => undefined)
  const { _tag, message } = typeof answer === "object" && answer !== null
    ? answer as { readonly _tag?: unknown; readonly message?: unknown } // each field is checked before it is used
    : {}
  return new ApiError(
    response.status,
    typeof _tag === "string" ? _tag : "Unknown",
    typeof message === "string" ? message : `the answer has the status ${response.status} and no reason`
  )
}

/** Returns an answer that is JSON. The manager has checked it with its own Schema. */
export const getJson = async <A>(path: string, signal?: AbortSignal): Promise<A> =>
  (await request(path, signal === undefined ? {} : { signal })).json()

export const postJson = async <A>(path: string, body: unknown = {}): Promise<A> =>
  (await request(path, { method: "POST", body })).json()

/** Returns a query of the parameters that have a value. */
export const queryOf = (parameters: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]]
  )
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`
}

export const jobPath = (id: string, rest = ""): string => `jobs/${encodeURIComponent(id)}${rest}`

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
