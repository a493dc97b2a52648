import { Host } from "autostop"
import { handlers } from "./handlers.ts"
import { Numbers } from "./numbers.ts"

export default Host.serve(Numbers, handlers)
