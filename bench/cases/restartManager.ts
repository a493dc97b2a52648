import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Case, Figures } from "../case.ts"
import { read, Served } from "../manager/served.ts"
import { expect } from "../measure.ts"

/** A store in which a job has been run so many times. */
const filled = async (count: number): Promise<string> => {
  const served = await Served.start(1)
  await served.submit("job-0", "end")
  await read(served.eventsOf("job-0"))
  await served.close({ keep: true })
  const db = new DatabaseSync(join(served.folder, "jobs.db"))
  db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN")
  // in the order of their keys, which is that of the pages
  const numbers = `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${count - 1})`
  const id = "printf('job-%06d', n)"
  const copied = (table: string, key: string, texts: ReadonlyArray<string>) => {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all().map(({ name }) => String(name))
    const values = columns.map((name) =>
      name === key ? id : texts.includes(name) ? `replace(${name}, 'job-0', ${id})` : name
    )
    db.exec(`${numbers} INSERT INTO ${table} (${columns.join()}) SELECT ${values.join()} FROM n CROSS JOIN ${table}`)
  }
  if (count > 1) {
    copied("autostop_jobs", "id", ["info", "submission"])
    copied("autostop_results", "job_id", ["result"])
    copied("autostop_events", "job_id", ["event"])
  }
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
  db.close()
  // writing it is no part of the restart
  execFileSync("sync", [join(served.folder, "jobs.db")])
  return served.folder
}

const restart = (count: number) => async (): Promise<Figures> => {
  const folder = await filled(count)
  const since = performance.now()
  const served = await Served.start(4, { folder })
  const { ok } = await fetch(`${served.url}/health/ready`)
  const ready = performance.now() - since
  expect(ok, true)
  expect(await served.metric("autostop_jobs{state=\"stopped\"}"), count)
  await served.close()
  return { ready }
}

export default {
  title: "a restart of the manager with 100,000 jobs in its store: from its spawn until it is ready",
  figures: { ready: "ms" },
  variants: [
    { name: "100,000 jobs", run: restart(100_000) },
    { name: "1 job", run: restart(1) }
  ],
  targets: [{ figure: "ready", is: "≤", limit: 1_000 }]
} satisfies Case
