/** What a stranger, or code that nobody has checked, may send where JSON is expected. */
import { Random } from "./malformed.ts"

/** A value nested so deep that a visit of all of it by recursion overflows the stack. */
const deepArray = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`
const deepObject = (levels: number): string => `${"{\"a\":".repeat(levels)}1${"}".repeat(levels)}`

/** JSON texts of values that break those who expect another one. */
const values = [
  "null",
  "true",
  "0",
  "-1",
  "1e999",
  "1e308",
  "-0",
  "65536",
  "\"\"",
  "\"a\"",
  "\"\\ud800\"",
  "\"\\u0000\"",
  "\"toString\"",
  `"${"é".repeat(64)}"`,
  `"${"a".repeat(64)}"`,
  `"${"🦊".repeat(32)}"`,
  "[]",
  "{}",
  "[null]",
  "{\"toString\":1,\"valueOf\":1}",
  "{\"__proto__\":{\"gone\":true}}",
  "{\"constructor\":null}",
  "{\"length\":1e9}",
  deepArray(2_000),
  deepObject(700)
] as const

/** Lines that are no JSON, or only begin as such. */
const noise = [
  "",
  " ",
  "\r",
  "{",
  "{\"",
  "]",
  "undefined",
  "NaN",
  "GET / HTTP/1.1",
  "\0\0\0\0",
  "\ufeff{}",
  "{\"a\":1}{\"a\":1}",
  "[".repeat(3_000)
] as const

const json = (random: Random, keys: readonly [string, ...Array<string>], depth = 0): string => {
  if (depth < 3 && random.oneIn(3)) {
    const fields = Array.from(
      { length: 1 + random.below(4) },
      () => `${JSON.stringify(random.pick(keys))}:${json(random, keys, depth + 1)}`
    )
    return `{${fields.join(",")}}`
  }
  return random.pick(values)
}

/** Makes lines that have these keys where others would expect them, and lines that are cut, joined or no JSON at all. */
export const hostileLine = (random: Random, keys: readonly [string, ...Array<string>]): string => {
  if (random.oneIn(8)) return random.pick(noise)
  const fields = Array.from(
    { length: 1 + random.below(4) },
    () => `${JSON.stringify(random.pick(keys))}:${json(random, keys)}`
  )
  const line = `{${fields.join(",")}}`
  return random.oneIn(8) ? line.slice(0, random.below(line.length)) : line
}

/** The bytes of such lines, with some of them changed. */
export const hostileChunk = (random: Random, keys: readonly [string, ...Array<string>]): Buffer => {
  const bytes = Buffer.from(
    Array.from({ length: 1 + random.below(3) }, () => `${hostileLine(random, keys)}\n`).join("")
  )
  for (let i = random.below(4) - 2; i > 0; i--) bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}
