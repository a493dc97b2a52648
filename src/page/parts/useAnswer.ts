import { useEffect, useState } from "preact/hooks"
import { messageOf } from "../api/request.ts"
import { manager } from "../state/jobs.ts"

export interface Answered<A> {
  readonly answer?: A
  readonly fault?: string
}

/** Asks the manager, and again whenever the feed has begun again: the manager may be another one then. */
export const useAnswer = <A>(ask: () => Promise<A>): Answered<A> => {
  const [answered, setAnswered] = useState<Answered<A>>({})
  const epoch = manager.value?.at
  useEffect(() => {
    ask().then((answer) => setAnswered({ answer }), (error: unknown) => setAnswered({ fault: messageOf(error) }))
  }, [epoch])
  return answered
}
