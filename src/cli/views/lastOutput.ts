/** The output at the end of a terminal that shows a live view, and all transitions of it. */
export type LastOutput =
  /** The view, which is erased before anything else is printed. */
  | { readonly _tag: "View"; readonly lines: number }
  /** Output of others. If its last line has no end yet, the view begins on a new line. */
  | { readonly _tag: "Others"; readonly isMidLine: boolean }

export const nothingPrinted: LastOutput = { _tag: "Others", isMidLine: false }

const newline = 10

/** Returns the output after others have printed `chunk`. */
export const othersPrinted = (chunk: unknown): LastOutput => ({
  _tag: "Others",
  isMidLine: typeof chunk === "string" ? !chunk.endsWith("\n") : chunk instanceof Uint8Array && chunk.at(-1) !== newline
})

/** Returns the output after the view was drawn, which took the place of an earlier view. An empty view prints nothing. */
export const viewDrawn = (before: LastOutput, lines: number): LastOutput =>
  lines === 0 && before._tag === "Others" ? before : { _tag: "View", lines }

/** Returns the text that has to be printed before anything else is. */
export const erasing = (last: LastOutput): string =>
  last._tag === "View" && last.lines > 0 ? `\u001b[${last.lines}A\u001b[0J` : ""
