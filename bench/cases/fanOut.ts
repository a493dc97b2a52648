import { fanOut } from "../fanOut.ts"

export default fanOut("tell", "all at once")
