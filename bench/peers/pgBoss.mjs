import { PgBoss } from "pg-boss"
import { setTimeout } from "node:timers/promises"

/** The shortest interval that it takes. */
const pollingIntervalSeconds = 0.5

/** @type {import("../manager/jobQueue.ts").Open} */
export const open = async ({ concurrency, runs, url: connectionString }) => {
  const boss = new PgBoss({ connectionString, useListenNotify: true })
  boss.on("error", (error) => console.error(`pg-boss: ${error.message}`))
  await boss.start()
  await boss.createQueue("job", { notify: true })
  const submit = () => boss.send("job", {})
  if (runs !== "nothing") {
    for (let n = 0; n < concurrency; n++) {
      await boss.work("job", { pollingIntervalSeconds, notifyPollingIntervalSeconds: pollingIntervalSeconds }, async () => {})
    }
  }
  return {
    submit,
    run: async () => {
      const id = await submit()
      // it tells nobody that a job has ended
      while ((await boss.findJobs("job", { id }))[0]?.state !== "completed") await setTimeout(1)
    },
    close: () => boss.stop({ graceful: false })
  }
}
