// A diamond whose services take their time to stop.
import { jobWith, piece, takes } from "./act.ts"

const release = takes(200)
const db = piece("db", { release })
const left = piece("left", { release, needs: [db] })
const right = piece("right", { release, needs: [db] })
export default jobWith("slow", piece("api", { release, needs: [left, right] }).layer)
