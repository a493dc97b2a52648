/** Saves all that the manager keeps of the output of a job as a file. */
import type { LogLine } from "../api/models.ts"
import { jobPath, request } from "../api/request.ts"
import { SseParser } from "../api/sse.ts"

export const saveLog = async (id: string): Promise<void> => {
  const { body } = await request(jobPath(id, "/logs"))
  const parser = new SseParser()
  const texts: Array<string> = []
  if (body !== null) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      for (const { data, event } of parser.push(piece.value)) {
        if (event === "message") texts.push(textOf(JSON.parse(data)))
      }
    }
  }
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob(texts, { type: "text/plain" }))
  link.download = `${id}.log`
  link.click()
  // the browser has begun to read it by then
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

const textOf = ({ mark, text }: LogLine): string => mark === "continued" ? text : `${text}\n`
