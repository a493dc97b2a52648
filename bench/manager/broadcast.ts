/** What anyone would write first: every event to every reader, as it is. The events come from the parent process. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

const readers = new Set<ServerResponse>()
const server = createServer((_, response) => {
  // a heartbeat, as the manager begins with
  response.writeHead(200, { "content-type": "text/event-stream" }).write("event: heartbeat\ndata: -\n\n")
  readers.add(response)
})
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port)) // it listens on a port

process.on("message", (events: ReadonlyArray<string>) => {
  for (const event of events) for (const reader of readers) reader.write(event)
  for (const reader of readers) reader.end()
})
