// Consumes a message queue: at SIGTERM the subscription is stopped, and what was delivered is worked on and acknowledged.
// Run it: `npx autostop run examples/17-message-queue.ts`, and press Ctrl-C
import { Job, Pipeline, Service } from "autostop"
import { type Cause, Console, Context, Effect, Queue, Stream } from "effect"

interface Message {
  readonly id: number
  readonly ack: () => void
}

/** Stands for the client of a broker: it calls back with each message, until it is told to stop. */
class Broker extends Context.Service<Broker, {
  readonly subscribe: (onMessage: (message: Message) => void) => { readonly stop: () => Promise<void> }
}>()("Broker") {
  static readonly layer = Service.layer(
    Broker,
    Effect.gen(function*() {
      let delivered = 0
      let acked = 0
      yield* Effect.addFinalizer(() => Console.log(`the broker closes: ${delivered} delivered, ${acked} acknowledged`))
      return {
        subscribe: (onMessage) => {
          const timer = setInterval(() => {
            onMessage({ id: ++delivered, ack: () => void acked++ })
            if (delivered === 1) console.log("the first message was delivered")
          }, 2)
          // the messages on their way still arrive
          return { stop: () => new Promise((resolve) => setTimeout(resolve, 10)).then(() => clearInterval(timer)) }
        }
      }
    })
  )
}

const messages = Stream.unwrap(Effect.gen(function*() {
  const broker = yield* Broker
  const queue = yield* Queue.unbounded<Message, Cause.Done>()
  const subscription = broker.subscribe((message) => Queue.offerUnsafe(queue, message))
  // the drain ends the subscription, then the queue: what was delivered before that flows on
  const onDrain = Effect.andThen(Effect.promise(subscription.stop), Queue.end(queue))
  return Stream.fromQueue(queue).pipe(Pipeline.source("messages", { onDrain }))
}))

export default Job.make("consumer", {
  services: Broker.layer,
  run: () =>
    messages.pipe(
      Pipeline.mapParallel((message) => Effect.as(Effect.sleep("20 millis"), message), {
        concurrency: 8,
        name: "handled"
      }),
      Stream.runForEach((message) => Effect.sync(message.ack))
    )
})
