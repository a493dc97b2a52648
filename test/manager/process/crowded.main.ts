import { Effect } from "effect"
import { openSync } from "node:fs"
import { makeLauncher } from "../../../src/manager/process/launcher.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"

/** Has all the files open that it may, and then asks for processes. */
const say = console.log
// what prints is opened before there is no room
say("begins")
const code = { module: new URL("../fixtures/greet.ts", import.meta.url).href }
const submission = { job: "greet" }
for (;;) {
  try {
    openSync("/dev/null", "r")
  } catch {
    break
  }
}
const { ended } = startJobProcess({
  id: "a",
  submission,
  code,
  resultFile: "/dev/null",
  onEvent: () => {},
  onStages: () => {},
  onOutput: () => {}
})
say((await Effect.runPromise(ended)).report.reason)
say((await Effect.runPromise(Effect.flip(makeLauncher({ places: 1 }).check(code, submission)))).message)
process.exit(0)
