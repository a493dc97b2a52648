import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { connect } from "node:net"
import { Job } from "../../src/index.ts"
import { Manager } from "../../src/manager/Manager.ts"
import { Address, serveManager, type ServeOptions } from "../../src/manager/http/server.ts"
import { Control, memoryManager } from "./memoryManager.ts"

/** Adds numbers, as told. */
export const Sum = Job.make("sum", {
  payload: { numbers: Schema.Array(Schema.Int), at: Schema.optionalKey(Schema.Date) },
  success: Schema.Struct({ sum: Schema.BigInt }),
  error: Schema.Struct({ negative: Schema.Int })
})
export const sum = Sum.implement({
  run: ({ numbers }) => {
    const negative = numbers.find((n) => n < 0)
    return negative === undefined
      ? Effect.succeed({ sum: BigInt(numbers.reduce((a, b) => a + b, 0)) })
      : Effect.fail({ negative })
  }
})

/** Runs until it is stopped. */
export const Endless = Job.make("endless")
export const endless = Endless.implement({ run: () => Effect.never })

/** Runs until its latch opens. */
export const latch = Latch.makeUnsafe()
export const Latched = Job.make("latched", { success: Schema.String })
export const latched = Latched.implement({ run: () => Effect.as(latch.await, "opened") })

/** A server over a manager that lives here; its address, the manager and what controls it. */
export const serving = (options: Partial<ServeOptions> = {}) =>
  Layer.provideMerge(serveManager({ port: 0, ...options }), memoryManager(sum, endless, latched))

const request = (url: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  })

/** Asks the server, over a real connection. */
export const ask = Effect.fnUntraced(function*(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {}
) {
  const { url } = yield* Address
  return yield* request(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
  })
})

/** Where a job stands, asked of the manager itself. */
export const stateOf = (id: string) =>
  Effect.flatMap(Manager, (manager) => Effect.map(manager.get(id), ({ state }) => state))

/** How a job ended, asked of the manager itself. */
export const resultOf = (id: string) => Effect.flatMap(Control, (control) => control.awaitResult(id))

/** Sends raw bytes, piece by piece, and returns all that comes back until the server closes the connection. */
export const talk = (port: number, ...pieces: ReadonlyArray<string>) =>
  Effect.promise(() =>
    new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1")
      let answer = ""
      socket.on("data", (chunk: Buffer) => answer += chunk.toString("latin1"))
      socket.on("error", () => {})
      socket.on("close", () => resolve(answer))
      for (const piece of pieces) socket.write(piece, "latin1")
    })
  )
