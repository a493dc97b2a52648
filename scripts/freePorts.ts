import { once } from "node:events"
import { createServer } from "node:net"

/** Returns ports of the loopback interface that the system has free, all at the same time. */
export const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => server.listening || once(server, "listening")))
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === "string") throw new Error("a server has no port")
    return address.port
  })
  await Promise.all(servers.map((server) => once(server.close(), "close")))
  return ports
}

/** Returns a port of the loopback interface that the system has free. */
export const freePort = async (): Promise<number> => {
  const [port] = await freePorts(1)
  if (port === undefined) throw new Error("there is no port")
  return port
}
