// A manager of one job, which says what it is told. To be killed.
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"

const [, , module = "", resultFile = "", submission = ""] = process.argv
const say = (line: string) => process.stdout.write(`${line}\n`)
const job = startJobProcess({
  id: "orphan",
  submission: JSON.parse(submission),
  code: { module },
  resultFile,
  onEvent: (event) => say(event._tag),
  onStages: () => {},
  onOutput: (_, lines) => lines.forEach(({ text }) => say(text))
})
say(`pid ${job.pid}`)
