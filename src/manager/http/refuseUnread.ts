/** Answers what is no HTTP request that could be read, in the way that all refusals are answered. */
import { hasProperty } from "effect/Predicate"
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { seconds } from "../../base/format.ts"
import type { ServerLimits } from "./serverLimits.ts"

/** Returns a listener of Node's `clientError`: the server emits it instead of a request. */
export const refuseUnread = (limits: ServerLimits) => (error: Error, socket: Duplex): void => {
  // nobody reads an answer on a connection that was reset
  if (!socket.writable || (hasProperty(error, "code") && error.code === "ECONNRESET")) return void socket.destroy()
  const [status, message] = refusalOf(error, limits)
  const body = JSON.stringify({ _tag: "Refused", message })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** Answers a request that expects something else than `100-continue`. */
export const refuseExpectation = ({ headers }: IncomingMessage, response: ServerResponse): void => {
  const body = JSON.stringify({
    _tag: "Refused",
    message: `the server cannot meet the expectation "${headers.expect}"`
  })
  response.writeHead(417, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body)
}

const refusalOf = (
  error: Error,
  { headerBytes, headersMs, requestMs }: ServerLimits
): readonly [status: number, message: string] => {
  switch (hasProperty(error, "code") ? error.code : undefined) {
    case "HPE_HEADER_OVERFLOW":
      return [431, `the headers of the request have more than ${headerBytes} bytes: send fewer`]
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [
        408,
        `the request was not sent in time: its headers within ${seconds(headersMs)}, all of it within ${
          seconds(requestMs)
        }`
      ]
    default:
      return [400, `the request is not HTTP/1.1 as it should be: ${error.message}`]
  }
}
