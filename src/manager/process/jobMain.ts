/** Where the process of a job of a manager begins. */
import { decodeParentMessage } from "../../jobProcess/protocol.ts"
import { send } from "../../jobProcess/reportingRun.ts"
import { ParentLink } from "../../process/parentLink.ts"

const link = new ParentLink(decodeParentMessage)
// the rest takes longer to load
const [{ runJob }] = await Promise.all([import("./runJob.ts"), link.ready])
send({ _tag: "Alive" })
runJob(link)
