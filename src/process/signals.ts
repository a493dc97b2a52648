import { constants } from "node:os"

/** The action that a signal has if nobody listens to it, or why autostop leaves it as it is. */
type Action =
  /** It ends the process: it is a request to stop. */
  | "stop"
  /** It is a request to stop on Linux. Other systems do not have it, or ignore it. */
  | "stop on Linux"
  /** A request to stop that the system repeats each second, so that it never counts as a second one. */
  | "stop once"
  /** The second name of another signal. */
  | "alias"
  /** The process itself has failed, at the instruction it is at: code that listens cannot go on from there. */
  | "fault"
  /** Node ignores it: what it would say fails with an error (EPIPE, EFBIG). */
  | "ignored by Node"
  /** Node starts its debugger. */
  | "debugger"
  /** The profiler of V8 sends it to its own threads, many times a second. */
  | "profiler"
  /** The system does not let anybody listen. */
  | "uncatchable"
  /** It suspends the process, or does nothing. */
  | "no end"

/** All signals that Node has a name for. Real-time signals have none, and Node cannot listen to them. */
export const actions = {
  SIGHUP: "stop",
  SIGINT: "stop",
  SIGQUIT: "stop",
  SIGTERM: "stop",
  SIGUSR2: "stop",
  SIGABRT: "stop",
  SIGALRM: "stop",
  SIGVTALRM: "stop",
  SIGXCPU: "stop once",
  SIGIO: "stop on Linux",
  SIGPWR: "stop on Linux",
  SIGSTKFLT: "stop on Linux",
  SIGBREAK: "stop",
  SIGLOST: "stop",
  SIGIOT: "alias",
  SIGPOLL: "alias",
  SIGUNUSED: "alias",
  SIGILL: "fault",
  SIGTRAP: "fault",
  SIGBUS: "fault",
  SIGFPE: "fault",
  SIGSEGV: "fault",
  SIGSYS: "fault",
  SIGPIPE: "ignored by Node",
  SIGXFSZ: "ignored by Node",
  SIGUSR1: "debugger",
  SIGPROF: "profiler",
  SIGKILL: "uncatchable",
  SIGSTOP: "uncatchable",
  SIGCHLD: "no end",
  SIGCONT: "no end",
  SIGTSTP: "no end",
  SIGTTIN: "no end",
  SIGTTOU: "no end",
  SIGURG: "no end",
  SIGWINCH: "no end",
  SIGINFO: "no end"
} as const satisfies Readonly<Record<NodeJS.Signals, Action>>

type Actions = typeof actions
/** A signal that asks for a stop. */
export type Signal = { [S in keyof Actions]: Actions[S] extends `stop${string}` ? S : never }[keyof Actions]

export const isSignal = (name: string): name is Signal =>
  name in constants.signals && name in actions && isStop(actions[name as keyof Actions])

const isStop = (action: Action): boolean =>
  action === "stop" || action === "stop once" || (action === "stop on Linux" && process.platform === "linux")

/** The signals of this system that ask for a stop. */
export const signals: ReadonlyArray<Signal> = Object.keys(actions).filter(isSignal)

/** Returns the exit code of a process that a signal has stopped: 128 and its number. */
export const signalCode = (signal: Signal): number => 128 + constants.signals[signal]

/** Returns true if the system itself repeats the signal. */
export const isRepeated = (signal: Signal): boolean => actions[signal] === "stop once"

/** These four are always requests to stop, even if others listen to them, too. */
const always: ReadonlySet<Signal> = new Set(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"])

/**
 * Returns true if the signal asks for a stop although `others` listen to it. SIGUSR2 and its like may mean something else
 * to a program, such as a heap snapshot; then they do not end the process, and are no request.
 */
export const asksForStop = (signal: Signal, others: number): boolean => always.has(signal) || others <= exitHooks()

/**
 * The number of listeners of the package `signal-exit`, which only wait for the end of the process: each copy of it listens
 * once to each signal, and counts itself in one of these places.
 */
const exitHooks = (): number =>
  [Reflect.get(process, "__signal_exit_emitter__"), Reflect.get(globalThis, Symbol.for("signal-exit emitter"))]
    .map((emitter: unknown) =>
      typeof emitter === "object" && emitter !== null ? Number(Reflect.get(emitter, "count")) || 0 : 0
    )
    .reduce((sum, count) => sum + count)
