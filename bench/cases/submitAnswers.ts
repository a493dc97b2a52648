import { answers } from "../submits.ts"

export default answers()
