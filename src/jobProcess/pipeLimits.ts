/** The limits of the messages that the process of a job sends its parent. A job that sends more harms its parent, too. */

const mebibyte = 1_024 * 1_024

/** In bytes of JSON. */
export interface PipeLimits {
  /** The longest message: the report, with the result of the job. No more than that is ever kept of a line. */
  readonly message: number
  /** The longest event. */
  readonly event: number
  /** All events of one attempt together; `Infinity` where they are not stored. */
  readonly events: number
  /** The events of one second, in the long run: a job that emits more waits. */
  readonly perSecond: number
}

export const pipeLimits: PipeLimits = {
  message: 64 * mebibyte,
  event: mebibyte,
  events: Infinity,
  perSecond: mebibyte
}

/** All events of one attempt together by default, where they are stored. */
export const storedEvents = 256 * mebibyte

/** The bytes that a job may send at once before it waits. */
export const burst = 32 * mebibyte

/** The bytes that a job which was stopped for its events may still emit: its stop has events, too. */
export const reserve = 8 * mebibyte

export const inMebibytes = (bytes: number): string =>
  bytes % mebibyte === 0 ? `${bytes / mebibyte} MiB` : `${bytes} bytes`
