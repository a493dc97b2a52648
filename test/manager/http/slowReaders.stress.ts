import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { Server } from "../../support/cliServer.ts"

const lines = 15_000
const text = "x".repeat(1_000)

/** Replaces what is kept of a job's output with 15 MB of lines. */
const fillLog = (folder: string, id: string): void => {
  const line = (seq: number) => JSON.stringify({ seq, at: "2026-01-31T00:00:00.000Z", stream: "stdout", text })
  writeFileSync(
    join(folder, "logs", `${id}.log`),
    Array.from({ length: lines }, (_, index) => `${line(index + 1)}\n`).join("")
  )
}

/** Asks for a path, and reads nothing of the answer but its beginning. */
const unread = async (server: Server, path: string): Promise<Socket> => {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1").on("error", () => {})
  await once(socket, "connect")
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n\r\n`)
  await once(socket, "readable")
  return socket
}

describe("readers of a large log that do not read", () => {
  it("cost the manager a small buffer each, while another one reads all of it", async () => {
    // the heap has room for the log three times, and not for each reader; it ends the manager if it does not suffice
    await using server = await Server.start([], { NODE_OPTIONS: "--max-old-space-size=96" })
    const id = await server.submit({ name: "Ada" })
    await server.stopped(id)
    fillLog(server.folder, id)
    const sockets = await Promise.all(Array.from({ length: 40 }, () => unread(server, `/jobs/${id}/logs`)))
    const log = await server.ask(`/jobs/${id}/logs`)
    assert.strictEqual(log.split("\n").filter((line) => line.startsWith("id: ")).length, lines)
    for (const socket of sockets) socket.destroy()
  })
})
