// A service whose start never ends, over one that has started.
import { hangs, jobWith, piece } from "./act.ts"

const db = piece("db")
export default jobWith(
  "hung-start",
  piece("api", { acquire: hangs, needs: [db] }).layer
)
