/** Answers with server-sent events. Each element is encoded once, however many readers it has. */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Sse from "effect/encoding/Sse"
import type { StreamSse } from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

type Bytes = Uint8Array
type Elements<A> = Arr.NonEmptyReadonlyArray<A>

/** The event with which a client of the API learns that a stream has failed. Its name is one of Effect's. */
const failureEvent = "effect/http-api/stream/failure"

/**
 * Returns a function that answers with the elements of a stream. What is encoded is kept as long as the elements are, and the
 * bytes of several elements as long as their array: readers that are given the same array are sent the same bytes. `around` adds
 * to the bytes of the elements.
 */
export const feedAnswer = <A extends object, Event, Failure>(
  feed: StreamSse<
    Schema.Codec<Event, { readonly id?: string; readonly event: string; readonly data: string }>,
    Schema.Codec<Failure, unknown>,
    unknown
  >,
  eventOf: (element: A) => Event,
  around: (bytes: Stream.Stream<Bytes, Failure>) => Stream.Stream<Bytes, Failure>
) => {
  const encode = Schema.encodeSync(feed.events)
  const encodeCause = Schema.encodeSync(
    Schema.fromJsonString(Schema.toCodecJson(Schema.Cause(feed.error, Schema.Defect())))
  )
  const texts = new WeakMap<A, string>()
  const chunks = new WeakMap<Elements<A>, Elements<Bytes>>()
  const textOf = (element: A): string => {
    const known = texts.get(element)
    if (known !== undefined) return known
    const text = eventText(encode(eventOf(element)))
    texts.set(element, text)
    return text
  }
  const bytesOf = (elements: Elements<A>): Elements<Bytes> => {
    const known = chunks.get(elements)
    if (known !== undefined) return known
    const bytes = [Buffer.from(elements.map(textOf).join(""))] as const
    chunks.set(elements, bytes)
    return bytes
  }
  const failureBytes = (cause: Cause.Cause<Failure>): Bytes =>
    Buffer.from(eventText({ event: failureEvent, data: encodeCause(cause) }))
  return (elements: Stream.Stream<A, Failure>): HttpServerResponse.HttpServerResponse =>
    HttpServerResponse.stream(
      Stream.catchCause(
        around(Stream.mapArray(elements, bytesOf)),
        (cause) => Stream.sync(() => failureBytes(cause))
      ),
      { contentType: feed.contentType }
    )
}

/** Returns an event as it is sent. */
export const eventText = (
  { data, event, id }: { readonly id?: string; readonly event: string; readonly data: string }
) => Sse.encoder.write({ _tag: "Event", id, event, data })
