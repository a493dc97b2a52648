/** The entry point of a job process. */
import { decodeParentMessage } from "../../jobProcess/protocol.ts"
import { send } from "../../jobProcess/reportingRun.ts"
import { ParentLink } from "../../process/parentLink.ts"

const link = new ParentLink(decodeParentMessage)
// the rest is imported here, because it takes longer to load than the link
const { runJob } = await import("./runJob.ts")
send({ _tag: "Alive" })
runJob(link)
