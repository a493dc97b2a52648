// A long chain of services that never stop, over one that would.
import { hangs, jobWith, piece, takes } from "./act.ts"

let top = piece("db", { release: takes(50) })
for (let i = 1; i <= 6; i++) top = piece(`hangs-${i}`, { release: hangs, needs: [top] })
export default jobWith("chain", top.layer)
