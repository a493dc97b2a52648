import { fanOut } from "../fanOut.ts"

export default fanOut("trickle", "a few at a time")
