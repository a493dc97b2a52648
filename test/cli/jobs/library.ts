// The job `life`, in a process with a library that does what LIBRARY says.
import life from "./life.ts"

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const acts: Readonly<Record<string, () => void>> = {
  "exits at the signal": () => process.on("SIGTERM", () => process.exit(1)),
  "exits first at the signal": () => process.prependListener("SIGTERM", () => process.exit(1)),
  "exits later": () => process.on("SIGTERM", () => setTimeout(() => process.exit(0), 20)),
  "really exits": () => process.on("SIGTERM", () => Reflect.apply(Reflect.get(process, "reallyExit"), process, [1])),
  "raises it again": () =>
    process.on("SIGTERM", () => setTimeout(() => process.kill(process.pid, "SIGTERM"), 700).unref()),
  "removes listeners": () => process.removeAllListeners("SIGTERM"),
  "removes all listeners": () => process.removeAllListeners(),
  "sets exitCode": () => void (process.exitCode = 5),
  "sets exitCode to 0 at exit": () => process.on("exit", () => void (process.exitCode = 0)),
  "exits with 0": () => process.on("SIGTERM", () => process.exit(0)),
  "blocks at the signal": () =>
    process.on("SIGTERM", () => {
      say("blocks")
      const end = performance.now() + 900
      while (performance.now() < end);
    }),
  "listens to SIGUSR2": () => process.on("SIGUSR2", () => say("a snapshot"))
}
acts[process.env["LIBRARY"] ?? ""]?.()

export default life
