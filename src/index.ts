/**
 * Work that stops well: jobs whose services are stopped in order, within one time budget, with a report.
 *
 * @since 0.1.0
 */
export * as autostop from "./autostop.ts"
export { runMain } from "./autostop.ts"
export {
  type Autostop,
  Environment,
  type JobRun,
  type StopOptions,
  type SubmitArguments,
  SubmitError,
  type SubmitOptions
} from "./Environment.ts"
export * as Host from "./Host.ts"
export * as Job from "./Job.ts"
export { JobEvent, JobStatus, StopMode } from "./JobEvent.ts"
export { JobManager, JobManagerError } from "./JobManager.ts"
export * as LocalEnvironment from "./LocalEnvironment.ts"
export * as Observability from "./Observability.ts"
export * as Pipeline from "./Pipeline.ts"
export * as RemoteEnvironment from "./RemoteEnvironment.ts"
export * as Service from "./Service.ts"
export { type DurationSetting, PolicyError, StopPolicy, Strategy } from "./StopPolicy.ts"
export {
  Leftover,
  Outcome,
  Phase,
  PhaseReport,
  ServiceOutcome,
  ServiceReport,
  StageReport,
  StopReport,
  Trigger
} from "./StopReport.ts"
