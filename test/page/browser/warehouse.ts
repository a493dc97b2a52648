import { assert } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { Server } from "../../support/cliServer.ts"

const module = fileURLToPath(new URL("./jobs/warehouse.ts", import.meta.url))

/** A manager that has the job `warehouse`. */
export const startManager = (args: ReadonlyArray<string> = [], env: Record<string, string> = {}): Promise<Server> =>
  Server.start(["--jobs", module, ...args], env)

/** Submits the job, waits until it is open, and returns its id. */
export const submitWarehouse = async (
  server: Server,
  payload: object = { closesInMs: 100 },
  stopPolicy: object = {}
): Promise<string> => {
  const submission = { job: "warehouse", payload, stopPolicy }
  const { id }: { readonly id?: string } = JSON.parse(await server.post("/jobs", submission))
  assert.isDefined(id)
  await server.logged(id ?? "", "business")
  return id ?? ""
}
