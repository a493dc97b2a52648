import { plain } from "../probes.ts"
import { hangingCase } from "./hanging.ts"

export default hangingCase({ what: "plain layers", count: 500, hanging: 5, make: plain })
