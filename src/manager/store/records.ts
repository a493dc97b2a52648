/** The rows of the store. JSON is stored as text, because JSON columns of PostgreSQL refuse some valid JSON. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { JobEvent } from "../../JobEvent.ts"
import type { StoredJob } from "../JobStore.ts"
import { JobInfo, JobResult, Submission } from "../models.ts"

const infoText = Schema.fromJsonString(JobInfo)
const submissionText = Schema.fromJsonString(Submission)
const eventText = Schema.fromJsonString(JobEvent)
const resultText = Schema.fromJsonString(JobResult)

export interface JobText {
  readonly info: string
  readonly submission: string
}

export const readInfo = Schema.decodeEffect(infoText)
export const readEvent = Schema.decodeEffect(eventText)
export const writeEvent = Schema.encodeEffect(eventText)
export const readResult = Schema.decodeEffect(resultText)
export const writeResult = Schema.encodeEffect(resultText)

const readSubmission = Schema.decodeEffect(submissionText)
const writeInfo = Schema.encodeEffect(infoText)
const writeSubmission = Schema.encodeEffect(submissionText)

export const readJob = ({ info, submission }: JobText) =>
  Effect.all({ info: readInfo(info), submission: readSubmission(submission) })

/** Returns the columns that change while a job runs. */
export const stateRow = (info: JobInfo) =>
  Effect.map(writeInfo(info), (text) => ({
    state: info.state,
    stopped_at: info.stoppedAt ?? null,
    outcome: info.outcome ?? null,
    clean: info.clean === undefined ? null : Number(info.clean),
    stop_trigger: info.trigger ?? null,
    info: text
  }))

export const jobRow = ({ info, submission }: StoredJob) =>
  Effect.map(Effect.all([stateRow(info), writeSubmission(submission)]), ([state, text]) => ({
    id: info.id,
    job: info.job,
    submitted_at: info.submittedAt,
    ...state,
    submission: text,
    bundle: submission.bundle ?? null
  }))
