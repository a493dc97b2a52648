/** Where the process of a job of a manager begins. */
import { Supervisor, tell } from "../../jobProcess/reportingRun.ts"
import { decodeAsked } from "./protocol.ts"

const supervisor = new Supervisor(decodeAsked)
// the rest takes longer to load
const [{ runJob }] = await Promise.all([import("./runJob.ts"), supervisor.ready])
tell({ _tag: "Alive" })
runJob(supervisor)
