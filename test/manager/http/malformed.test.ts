import { describe, it } from "@effect/vitest"
import { sendMalformedRequests } from "./malformedRequests.ts"

describe("the API of a job manager", () => {
  it.live("answers malformed requests without a fault of its own", () =>
    sendMalformedRequests({ count: 400, seed: 20_261_127, statuses: [200, 201, 400, 404] }))
})
