import { printable } from "../base/format.ts"

/** Prints why nothing was started, each line in the one form of the command line and of programs. The exit code is 2. */
export const printUsageError = (message: string): void => {
  for (const line of message.split("\n")) process.stderr.write(`autostop: ${printable(line)}\n`)
}
