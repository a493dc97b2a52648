/** How the process of a job and its supervisor talk: JSON, one line each. */
import * as Option from "effect/Option"

export const encode = (message: object): string => `${JSON.stringify(message)}\n`

/** Takes text as it comes and hands on what its lines say. One that was cut off as its writer died says nothing. */
export const reader = <A>(decode: (line: string) => Option.Option<A>, take: (message: A) => void) => {
  let rest: Array<string> = []
  return (text: string): void => {
    const lines = text.split("\n")
    const last = lines.pop() ?? ""
    if (lines.length > 0) {
      lines[0] = [...rest, lines[0]].join("")
      rest = []
      for (const line of lines) Option.map(decode(line), take)
    }
    // a long line comes in many pieces: it is put together once
    if (last !== "") rest.push(last)
  }
}
