import { submits } from "../submits.ts"

export default submits(20, 1)
