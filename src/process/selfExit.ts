/** The ways in which the code of a process ends it. Its owner takes them over: it ends the process once all has stopped. */
import { constants } from "node:os"
import { isSignal, type Signal } from "./signals.ts"

/** Thrown by `process.exit`, which never returns. */
export class ExitCalled extends Error {}

export interface SelfExit {
  /** Code of this process has called `process.exit`, or what lies beneath it. */
  readonly exit: (code: number) => never
  /** Code of this process sends itself a signal. Returns true if it is not to be sent. */
  readonly kill: (signal: Signal) => boolean
}

/** Takes over `process.exit` and `process.kill`. Returns a function that exits in the end. */
export const takeOverExit = ({ exit, kill }: SelfExit): (code: number) => never => {
  const original = { exit: process.exit, kill: process.kill, reallyExit: reallyExitOf(process) }
  process.exit = (code) => {
    // the setter throws what `process.exit` throws for a wrong code
    const before = process.exitCode
    if (code !== undefined && code !== null) process.exitCode = code
    const given = Number(process.exitCode ?? 0)
    process.exitCode = before
    return exit(given)
  }
  setReallyExit((code) => exit(Number(code ?? 0)))
  process.kill = (pid, signal = "SIGTERM") => {
    const name = typeof signal === "number" ? nameOf(signal) : signal
    if (pid === process.pid && isSignal(name) && kill(name)) return true
    return original.kill.call(process, pid, signal)
  }
  return (code) => {
    process.exit = original.exit
    process.kill = original.kill
    // a listener of `exit` may set `process.exitCode`: it can make the code worse, not better
    setReallyExit((last) => original.reallyExit(code === 0 ? last : code))
    return process.exit(code)
  }
}

const nameOf = (number: number): string =>
  Object.entries(constants.signals).find(([name, value]) => value === number && isSignal(name))?.[0] ?? ""

type ReallyExit = (code?: number | string) => never

/** It has no type, because it is undocumented. Packages call it and replace it all the same. */
const reallyExitOf = (process: NodeJS.Process): ReallyExit => {
  const reallyExit: unknown = Reflect.get(process, "reallyExit")
  const { exit } = process
  return (code) => {
    if (typeof reallyExit === "function") Reflect.apply(reallyExit, process, [code])
    return exit.call(process, code)
  }
}

const setReallyExit = (reallyExit: ReallyExit): void => void Reflect.set(process, "reallyExit", reallyExit)
