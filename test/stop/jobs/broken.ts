// A service whose release dies beside one that takes its time.
import { dies, jobWith, piece, takes } from "./act.ts"

export default jobWith("broken", piece("bad", { release: dies }).layer, piece("slow", { release: takes(800) }).layer)
