import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Readable, Transform } from "node:stream"
import type { JobEvent } from "../../JobEvent.ts"
import type { JobEnd } from "../../jobProcess/jobEnd.ts"
import type { JobMessage } from "../../jobProcess/protocol.ts"
import type { SupervisedJob } from "../../jobProcess/supervisedJob.ts"
import type { JobProcessOptions } from "../../manager/JobProcess.ts"
import { passOn, passOnOutput } from "../../manager/process/passOn.ts"
import type { StageReport } from "../../StopReport.ts"
import { printEvent } from "./eventText.ts"
import { drawLive } from "./liveView.ts"

/** Shows a job on this terminal whose process prints to pipes: as a run in this process is shown. */
export class JobTerminal {
  readonly #format: "pretty" | "json"
  readonly #clock: Clock.Clock
  /** The events that came before they could be shown. */
  readonly #unshown: Array<JobEvent> = []
  #show = (event: JobEvent): void => void this.#unshown.push(event)
  #stages: ReadonlyArray<StageReport> = []

  constructor(format: "pretty" | "json", clock: Clock.Clock) {
    this.#format = format
    this.#clock = clock
  }

  take(message: JobMessage): void {
    passOn(message, { onEvent: (event) => this.#show(event), onStages: (stages) => void (this.#stages = stages) })
  }

  /** Shows it until its process has ended, and all of its output is read. The lines of the output go to `takeOutput`, too. */
  show(job: SupervisedJob, takeOutput: JobProcessOptions["onOutput"]): Effect.Effect<JobEnd> {
    const { stderr, stdout } = job.output
    const output = { stderr: stderr && copied(stderr, "stderr"), stdout: stdout && copied(stdout, "stdout") }
    const restOfOutput = passOnOutput(output, { onOutput: takeOutput })
    return this.#live(Effect.promise(async () => {
      const end = await job.ended
      await restOfOutput()
      return end
    }))
  }

  #live<A>(shown: Effect.Effect<A>): Effect.Effect<A> {
    const begin = (show: (event: JobEvent) => void) => {
      for (const event of this.#unshown.splice(0)) show(event)
      this.#show = show
      return shown
    }
    return this.#format === "pretty" && process.stderr.isTTY
      ? drawLive({ guessMs: this.#clock.currentTimeMillisUnsafe(), stages: () => this.#stages }, begin)
      : begin((event) => printEvent(event, this.#format))
  }
}

/** Writes what is read of a stream to a stream of this process, and no faster than that takes it. */
const copied = (from: Readable, to: "stdout" | "stderr"): Readable =>
  from.pipe(
    new Transform({
      transform: (chunk: Buffer, _, done) => void process[to].write(chunk, () => done(null, chunk)),
      destroy: (error, done) => {
        from.destroy()
        done(error)
      }
    })
  )
