/** The signals that end a process politely, and the exit code of each. */
export const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const
export type Signal = keyof typeof signalCodes
export const signals = Object.keys(signalCodes) as ReadonlyArray<Signal> // the record has exactly these keys
