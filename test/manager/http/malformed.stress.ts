import { describe, it } from "@effect/vitest"
import { rounds } from "../../support/rounds.ts"
import { sendMalformedRequests } from "./malformedRequests.ts"

const count = rounds(5_000, 50_000)

describe("the API of a job manager", () => {
  it.live(`answers ${count} malformed requests without a fault of its own`, () =>
    sendMalformedRequests({
      count,
      seed: 20_261_127,
      statuses: [200, 201, 204, 400, 404, 408, 409, 413, 415, 417, 431]
    }))
})
