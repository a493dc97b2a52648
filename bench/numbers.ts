/** The pipeline of several cases: a source and three stages, which keep every second number. */
import { Pipeline } from "autostop"
import { Stream } from "effect"

export const evenNumbers = (elements: number): Stream.Stream<number> =>
  Stream.range(1, elements).pipe(
    Pipeline.source("numbers"),
    Pipeline.stage("read"),
    Stream.map((n) => n + 1),
    Pipeline.stage("mapped"),
    Stream.filter((n) => n % 2 === 0),
    Pipeline.stage("filtered")
  )
