/** Reads JSON that other code has written: it may be of any form, and nested so deep that a visit of it has no stack left. */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { decodeUnknownOption } from "effect/Schema"
import { maxLevels } from "./nesting.ts"
import { attempt } from "./valueText.ts"

/** A message may have a value of the most levels within it. */
const foreignLevels = maxLevels + 50

const code = (char: string): number => char.charCodeAt(0)
const [quote, backslash] = [code("\""), code("\\")]
const [openBracket, closeBracket, openBrace, closeBrace] = [code("["), code("]"), code("{"), code("}")]

/** Returns true if JSON has no more than so many levels. It is looked at as a text, so that its depth needs no stack. */
export const isShallowJson = (text: string, levels: number = foreignLevels): boolean => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === quote) at = endOfString(text, at)
    else if (char === openBracket || char === openBrace) {
      if (++depth > levels) return false
    } else if (char === closeBracket || char === closeBrace) depth--
  }
  return true
}

/** Returns where the string ends that begins here. */
const endOfString = (text: string, from: number): number => {
  let at = text.indexOf("\"", from + 1)
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf("\"", at + 1)
  return at === -1 ? text.length : at
}

const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes++
  return backslashes % 2 === 1
}

/** Returns a function that decodes such JSON. It never throws, and returns nothing for what is none or does not match. */
export const decodeForeignJson = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) => {
  // made with the first text: many processes read none
  let decode: ReturnType<typeof decodeUnknownOption<S>> | undefined
  return (text: string): Option.Option<S["Type"]> => {
    if (!isShallowJson(text)) return Option.none()
    const value = attempt(() => ({ json: JSON.parse(text) as unknown }))
    return value === undefined ? Option.none() : (decode ??= decodeUnknownOption(schema))(value.json)
  }
}
