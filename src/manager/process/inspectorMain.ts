/** Where the process begins that loads a module in order to say whether its jobs can be run as they are submitted. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { errorText } from "../../base/errorText.ts"
import { importModule, jobOf, pathOf } from "../../jobProcess/jobModule.ts"
import { Supervisor, write } from "../../jobProcess/reportingRun.ts"
import { prepareJob } from "./prepareJob.ts"
import { type Answer, decodeQuestion, type Question } from "./protocol.ts"

const [, , module = ""] = process.argv
const name = pathOf(module)
const answer = (answer: Answer): void => write(answer)

const check = ({ number, submission }: Question, exports: Readonly<Record<string, unknown>>): void => {
  Effect.runFork(prepareJob(exports, name, submission)).addObserver((exit) =>
    answer({ _tag: "Checked", number, ...(Exit.isSuccess(exit) ? {} : { refusal: errorText(exit.cause) }) })
  )
}

const supervisor = new Supervisor(decodeQuestion)
await supervisor.ready
answer({ _tag: "Loading" })
// how long it may take its owner knows, which can also end it where it blocks
const loaded = await Effect.runPromiseExit(importModule(module, name, Infinity))
if (Exit.isFailure(loaded)) {
  answer({ _tag: "NotLoaded", message: errorText(loaded.cause) })
  process.exit(1)
}
const job = await Effect.runPromiseExit(jobOf(loaded.value, name))
answer({ _tag: "Loaded", ...(Exit.isSuccess(job) ? { job: job.value.name } : { refusal: errorText(job.cause) }) })
supervisor.listen((question) => question === null ? process.exit() : check(question, loaded.value))
// it waits for questions, whatever else there is
setInterval(() => {}, 2 ** 30)
