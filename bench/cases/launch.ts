import { fork } from "node:child_process"
import { once } from "node:events"
import { Agent, get } from "node:http"
import { fileURLToPath } from "node:url"
import type { Case, Figures } from "../case.ts"

const server = fileURLToPath(new URL("../launch/server.ts", import.meta.url))
const connections = 32
const requests = 20_000

const request = (port: number, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`expected 200, got ${response.statusCode}`))
      response.resume().once("end", resolve)
    }).once("error", reject)
  })

/** The nanoseconds of a request, so many at a time. */
const load = async (port: number, agent: Agent, count: number): Promise<number> => {
  const since = performance.now()
  let left = count
  const client = async () => {
    while (left-- > 0) await request(port, agent)
  }
  await Promise.all(Array.from({ length: connections }, client))
  return (performance.now() - since) * 1_000_000 / count
}

const launched = (by: string) => async (): Promise<Figures> => {
  const child = fork(server, [by])
  const [port] = await once(child, "message")
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  /** The microseconds of the processor that the server has taken. */
  const cpu = async (): Promise<number> => {
    child.send("cpu")
    const [{ system, user }] = await once(child, "message")
    return system + user
  }
  await load(port, agent, requests / 2)
  const before = await cpu()
  const time = await load(port, agent, requests)
  const taken = (await cpu() - before) * 1_000 / requests
  agent.destroy()
  child.kill("SIGKILL")
  await once(child, "exit")
  return { time, cpu: taken }
}

export default {
  title: `an HTTP server, ${connections} requests at a time: the time of each, and that of the processor in the server`,
  figures: { time: "ns", cpu: "ns" },
  variants: [
    { name: "autostop.launch", run: launched("autostop") },
    { name: "NodeRuntime.runMain", run: launched("effect") }
  ],
  // 0.98 times the requests per second
  targets: [
    { figure: "time", peer: "NodeRuntime.runMain", is: "≤", limit: 1.02 },
    { figure: "cpu", peer: "NodeRuntime.runMain", is: "≤", limit: 1.02 }
  ]
} satisfies Case
