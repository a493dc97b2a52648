/** Where a refusal says that a payload is wrong. */

export interface PayloadFault {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** Reads the path of a message of Schema: `Expected string at ["rows"][0]["name"]`. The whole message stays. */
export const payloadFault = (message: string): PayloadFault => {
  const text = /\bat ((?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])+)/.exec(message)?.[1] ?? ""
  const path = [...text.matchAll(/\[("(?:[^"\\]|\\.)*"|\d+)\]/g)].map(([, key = "0"]): string | number =>
    JSON.parse(key)
  )
  return { path, message }
}

export const isAt = (fault: PayloadFault | undefined, path: ReadonlyArray<string | number>): boolean =>
  fault !== undefined && fault.path.length === path.length && fault.path.every((key, index) => key === path[index])
