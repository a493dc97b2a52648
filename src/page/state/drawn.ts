import type { Signal } from "@preact/signals"

/** The shortest time between two drawings, however many messages come. */
const drawMs = 100

/** Returns a function that raises a version, at most ten times a second. */
export const raising = (version: Signal<number>): () => void => {
  let isDrawing = false
  return () => {
    if (isDrawing) return
    isDrawing = true
    setTimeout(() => {
      isDrawing = false
      version.value++
    }, drawMs)
  }
}
