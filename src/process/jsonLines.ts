/** Messages between processes: one line of JSON each. */
export const encode = (message: object): string => `${JSON.stringify(message)}\n`
