/** What a service needs that lives elsewhere. It is loaded only for such a service. */
export { buildRemote } from "./caller/remoteService.ts"
export { openProcess } from "./transport/process.ts"
export { openThread } from "./transport/thread.ts"
