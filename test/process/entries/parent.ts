// A process with a child whose event loop is blocked. It says the ids of the child and of its watchdog. To be killed.
import { ChildProcess } from "../../../src/process/childProcess.ts"
import { commandOf, ownChildren } from "../../../src/process/processTable.ts"

const child = new ChildProcess({ entry: new URL("./child.ts", import.meta.url), args: ["100"], output: "stderr" })
child.receive({
  longest: Infinity,
  onTooLong: () => {},
  onLine: () => {
    const watchdog = ownChildren()?.find((pid) => commandOf(pid).includes("watchdogMain"))
    process.stdout.write(`${child.pid} ${watchdog}\n`)
  }
})
child.send({ ask: "block" })
