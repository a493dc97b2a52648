import { submits } from "../submits.ts"

export default submits(128, 64)
