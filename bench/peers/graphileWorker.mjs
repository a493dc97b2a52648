import { Logger, makeWorkerUtils, run } from "graphile-worker"

const logger = new Logger(() => () => {})

/** @type {import("../manager/jobQueue.ts").Open} */
export const open = async ({ concurrency, runs, url: connectionString }) => {
  const utils = await makeWorkerUtils({ connectionString, logger })
  await utils.migrate()
  const ends = new Map()
  const endOf = (id) => {
    const known = ends.get(id) ?? Promise.withResolvers()
    ends.set(id, known)
    return known
  }
  const runner = runs === "nothing" ? undefined : await run({
    connectionString,
    concurrency,
    logger,
    noHandleSignals: true,
    taskList: { job: async () => {} }
  })
  // a job that has succeeded is removed: its result is that nothing is left of it
  runner?.events.on("job:success", ({ job }) => endOf(job.id).resolve())
  const submit = () => utils.addJob("job", {})
  return {
    submit,
    run: async () => {
      const { id } = await submit()
      await endOf(id).promise
      ends.delete(id)
    },
    close: async () => {
      await runner?.stop()
      await utils.release()
    }
  }
}
