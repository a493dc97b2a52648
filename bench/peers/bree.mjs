import Bree from "bree"

/** @type {import("../manager/jobQueue.ts").Open} */
export const open = async () => {
  const ended = new Map()
  const bree = new Bree({ root: false, logger: false, jobs: [] })
  bree.on("worker deleted", (name) => ended.get(name)?.())
  await bree.start()
  return {
    submit: () => Promise.reject(new Error("Bree keeps no jobs")),
    run: async (name) => {
      const end = new Promise((resolve) => ended.set(name, resolve))
      await bree.add({ name, path: new URL("../manager/empty.mjs", import.meta.url).pathname })
      await bree.run(name)
      await end
      await bree.remove(name)
    },
    close: () => bree.stop()
  }
}
