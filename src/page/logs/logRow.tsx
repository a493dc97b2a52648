import { parseAnsiSequences, type ParseToken } from "ansi-sequence-parser"
import type { ComponentChildren } from "preact"
import { shown, timeText } from "../parts/text.ts"
import type { LogRow } from "../state/logBuffer.ts"

/** The height of a row, which the style sheet has too. */
export const logRowHeight = 18

/** A line is cut for the screen here; a search and the download have all of it. */
const shownChars = 5_000

interface LogRowProps {
  readonly row: LogRow
  readonly query: string
  readonly isCurrent: boolean
}

export const LogRowView = ({ isCurrent, query, row }: LogRowProps) => {
  if (row._tag === "Mark") {
    return (
      <div class="log-row stop-mark">
        <time>{timeText(row.at)}</time> ◆ <bdi>{row.text}</bdi>
      </div>
    )
  }
  const { at, mark, stream, text } = row.line
  const tokens = parseAnsiSequences(text.slice(0, shownChars))
  return (
    <div class={`log-row ${stream}${mark === "gap" ? " gap" : ""}${isCurrent ? " current" : ""}`}>
      <time>{timeText(at)}</time> {stream === "stderr" && <span class="stream" title="stderr">!</span>}
      <bdi>{tokens.map((token, index) => <Token key={index} token={token} query={query} />)}</bdi>
      {text.length > shownChars && <span class="quiet">… {text.length - shownChars} more characters</span>}
    </div>
  )
}

const Token = ({ query, token }: { readonly token: ParseToken; readonly query: string }) => {
  const { background, decorations, foreground, value } = token
  const names = [
    foreground?.type === "named" ? `fg-${foreground.name}` : "",
    background?.type === "named" ? `bg-${background.name}` : "",
    ...decorations
  ].filter((name) => name !== "")
  const text = marked(shown(value), query)
  return names.length === 0 ? <>{text}</> : <span class={names.join(" ")}>{text}</span>
}

const marked = (text: string, query: string): ComponentChildren => {
  if (query === "") return text
  const folded = text.toLowerCase()
  const parts: Array<ComponentChildren> = []
  let at = 0
  for (let hit = folded.indexOf(query.toLowerCase()); hit !== -1; hit = folded.indexOf(query.toLowerCase(), at)) {
    parts.push(text.slice(at, hit), <mark key={hit}>{text.slice(hit, hit + query.length)}</mark>)
    at = hit + query.length
  }
  return [...parts, text.slice(at)]
}
