// Services that do not stop well, over one that does.
import { dies, hangs, jobWith, piece, takes } from "./act.ts"

const db = piece("db")
export default jobWith(
  "faulty",
  piece("patient", { release: takes(700), needs: [db] }).layer,
  piece("late", { release: takes(400), needs: [db], stop: { timeout: "200 millis" } }).layer,
  piece("hangs", { release: hangs, needs: [db], stop: { timeout: "200 millis" } }).layer,
  piece("dies", { release: dies, needs: [db] }).layer
)
