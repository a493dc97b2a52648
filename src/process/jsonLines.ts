/** Messages between processes: one line of JSON each. */
import * as Option from "effect/Option"

export const encode = (message: object): string => `${JSON.stringify(message)}\n`

/** Returns a reader of text in chunks, which passes on each message. A line that its writer did not finish is dropped. */
export const reader = <A>(decode: (line: string) => Option.Option<A>, onMessage: (message: A) => void) => {
  let rest: Array<string> = []
  return (text: string): void => {
    const lines = text.split("\n")
    const last = lines.pop() ?? ""
    if (lines.length > 0) {
      lines[0] = [...rest, lines[0]].join("")
      rest = []
      for (const line of lines) Option.map(decode(line), onMessage)
    }
    // a long line comes in many chunks, which are joined once
    if (last !== "") rest.push(last)
  }
}
