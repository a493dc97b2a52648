import * as Cause from "effect/Cause"
import type { StoppableTask } from "../../process/processContext.ts"
import type { Run } from "./run.ts"

/** A run as the owner of its process sees it. */
export const stoppableTask = (run: Run): StoppableTask => ({
  deadlineMs: run.options.limits.deadline,
  isStopping: () => run.stopping.isOpen,
  stopped: run.stopped,
  isClean: () => run.result?.report.clean !== false,
  pending: () => run.registry.pending().map(({ name, state }) => ({ name: `service ${name}`, state })),
  stop: (cause) => {
    switch (cause._tag) {
      case "Signal":
        return run.stop({ trigger: "signal", mode: cause.isUrgent ? "kill" : "drain", reason: cause.signal })
      case "ParentLost":
        return run.stop({ trigger: "lost", mode: "drain", reason: cause.reason })
      case "Crashed":
        return run.fail(Cause.die(cause.error), cause.what)
    }
  }
})
