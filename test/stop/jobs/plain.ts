// Two services, one over the other, that stop well.
import { jobWith, piece } from "./act.ts"

const db = piece("db")
export default jobWith("plain", piece("cache", { needs: [db] }).layer)
