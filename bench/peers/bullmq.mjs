import { Queue, QueueEvents, Worker } from "bullmq"

/** @type {import("../manager/jobQueue.ts").Open} */
export const open = async ({ concurrency, runs, url }) => {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port), maxRetriesPerRequest: null }
  const name = `bench-${runs.replaceAll(" ", "-")}`
  const queue = new Queue(name, { connection })
  const events = new QueueEvents(name, { connection })
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
  const worker = runs === "nothing" ? undefined : new Worker(name, processors[runs], { connection, concurrency })
  await worker?.waitUntilReady()
  const submit = (id) => queue.add("job", {}, { jobId: id })
  return {
    submit,
    run: async (id) => {
      const job = await submit(id)
      await job.waitUntilFinished(events)
    },
    close: async () => {
      await worker?.close()
      await events.close()
      await queue.close()
    }
  }
}

const file = (name) => new URL(`./${name}.mjs`, import.meta.url)

const processors = {
  "in process": async () => {},
  "in reused processes": file("nothing"),
  "in reused processes, effect": file("nothingEffect")
}
