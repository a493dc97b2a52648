/** Submits over a number of connections that are kept, with as little work as a client can do. */
import { Pool } from "undici"

export interface Client {
  /** Resolves when the submit was answered: the job is on disk. */
  readonly submit: (id: string, act: string) => Promise<void>
  readonly close: () => Promise<void>
}

export const clientOf = (url: string, connections: number): Client => {
  const pool = new Pool(url, { connections, pipelining: 1 })
  return {
    submit: async (id, act) => {
      const { body, statusCode } = await pool.request({
        path: "/jobs",
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id, job: "bench", payload: { act } })
      })
      const text = await body.text()
      if (statusCode !== 201) throw new Error(text)
    },
    close: () => pool.close()
  }
}
