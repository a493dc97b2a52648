/** What anyone would write first: every event to every reader, as it is. The events come from the parent process. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout } from "node:timers/promises"

const readers = new Set<ServerResponse>()
const server = createServer((_, response) => {
  // a heartbeat, as the manager begins with
  response.writeHead(200, { "content-type": "text/event-stream" }).write("event: heartbeat\ndata: -\n\n")
  readers.add(response)
})
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port)) // it listens on a port

/** The events are sent a few at a time, with pauses, or all at once if there are none. */
export interface Told {
  readonly events: ReadonlyArray<string>
  readonly pauseMs: number
}

process.on("message", (message: Told | string) => typeof message === "string" ? undefined : void tell(message))

const tell = async ({ events, pauseMs }: Told): Promise<void> => {
  for (const [index, event] of events.entries()) {
    if (pauseMs > 0 && index % 4 === 0) await setTimeout(pauseMs)
    for (const reader of readers) reader.write(event)
  }
  for (const reader of readers) reader.end()
  readers.clear()
}
