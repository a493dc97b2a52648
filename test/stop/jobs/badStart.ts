// A service that cannot start beside one that can.
import { dies, jobWith, piece } from "./act.ts"

export default jobWith("bad-start", piece("good").layer, piece("bad", { acquire: { ...dies, ms: 50 } }).layer)
