// A child process that does what it is asked to, and sends what it is asked.
import { spawn } from "node:child_process"
import * as Option from "effect/Option"
import { ParentLink, sendToParent } from "../../../src/process/parentLink.ts"

interface Question {
  readonly ask: "echo" | "block" | "exit" | "leave" | "leave once lost"
  readonly text?: string
}

/** What it starts holds the result pipe of this process, and survives it. */
const leave = (): never => {
  const { pid } = spawn("sleep", ["1000"], { stdio: ["ignore", "ignore", "ignore", 3] })
  sendToParent({ text: "left", pid })
  return process.exit(0)
}

let onLost: () => void = () => sendToParent({ text: "lost" })

// safe: the test asks
const link = new ParentLink((line) => Option.some(JSON.parse(line) as Question))
link.outlive(Number(process.argv[2] ?? 0))
link.listen({
  onMessage: ({ ask, text }) => {
    switch (ask) {
      case "echo":
        return sendToParent({ text, pid: process.pid })
      case "block":
        sendToParent({ text: "blocked" })
        for (;;);
      case "leave":
        return leave()
      case "leave once lost":
        onLost = leave
        return sendToParent({ text: "waits" })
      case "exit":
        return process.exit(7)
    }
  },
  onLost: () => onLost()
})
process.stdout.write("ready\n")
process.stderr.write("ready, too\n")
setInterval(() => {}, 2 ** 30)
