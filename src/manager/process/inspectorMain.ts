/** The entry point of an inspector: a process that loads a module, and checks submissions of its jobs. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { errorText } from "../../base/errorText.ts"
import { importModule, jobOf, pathOf } from "../../jobProcess/jobModule.ts"
import { ParentLink, sendToParent } from "../../process/parentLink.ts"
import { payloadSchemaOf } from "./payloadSchema.ts"
import { prepareJob } from "./prepareJob.ts"
import { type Answer, decodeQuestion, type Question } from "./protocol.ts"

const [, , module = ""] = process.argv
const name = pathOf(module)
const answer = (answer: Answer): void => sendToParent(answer)

type Exports = Readonly<Record<string, unknown>>

const reply = (question: Question, exports: Exports): void =>
  question._tag === "Check" ? check(question, exports) : describe(question, exports)

const check = ({ number, submission }: Extract<Question, { _tag: "Check" }>, exports: Exports): void => {
  Effect.runFork(prepareJob(exports, name, submission)).addObserver((exit) =>
    answer({ _tag: "Checked", number, ...(Exit.isSuccess(exit) ? {} : { refusal: errorText(exit.cause) }) })
  )
}

const describe = ({ number }: Question, exports: Exports): void => {
  Effect.runFork(jobOf(exports, name)).addObserver((exit) => {
    const payload = Exit.isSuccess(exit) ? payloadSchemaOf(exit.value) : undefined
    answer({ _tag: "Described", number, ...(payload === undefined ? {} : { payload }) })
  })
}

const link = new ParentLink(decodeQuestion)
answer({ _tag: "Loading" })
// there is no limit here, because the parent has one and can also end a process that blocks
const loaded = await Effect.runPromiseExit(importModule(module, name, Infinity))
if (Exit.isFailure(loaded)) {
  answer({ _tag: "NotLoaded", message: errorText(loaded.cause) })
  process.exit(1)
}
const job = await Effect.runPromiseExit(jobOf(loaded.value, name))
answer({ _tag: "Loaded", ...(Exit.isSuccess(job) ? { job: job.value.name } : { refusal: errorText(job.cause) }) })
link.listen({ onMessage: (question) => reply(question, loaded.value), onLost: () => process.exit() })
// this keeps the process alive until its parent ends it
setInterval(() => {}, 2 ** 30)
