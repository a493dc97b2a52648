import { describe, it } from "@effect/vitest"
import { relative, root } from "../support/family.ts"
import { assertEnded, places } from "./families.ts"

const all = [
  root({ children: [relative()], killed: true }),
  root({ children: [relative({ way: "session" })], mortal: true }),
  root({ children: [relative({ way: "orphan" })], mortal: true }),
  root({ by: "detached" }),
  root({ by: "detached", bare: true, killed: true, children: [relative()] }),
  root({ by: "effect", children: [relative({ way: "session" })] }),
  root({ bare: true, children: [relative(), relative({ way: "session" })] }),
  root({ deaf: true, mortal: true, children: [relative({ way: "session" })] }),
  root({ by: "detached", free: true })
]

describe("what a job has started and left behind ends with it, and is named:", () => {
  for (const place of places) {
    it(`children of a shell that was killed, sessions, orphans, and those that ignore SIGTERM (${place})`, () =>
      assertEnded(place, all))
  }
})
