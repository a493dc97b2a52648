/** The code for services that live elsewhere, which is loaded with the first of them. */
export { buildRemote } from "./caller/remoteService.ts"
export { openProcess } from "./transport/process.ts"
export { openThread } from "./transport/thread.ts"
