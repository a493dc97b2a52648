const tickMs = 10

/** How long something took: in all, and without the time by which the timers of this machine were late meanwhile. */
export interface Timed<A> {
  readonly value: A
  readonly ms: number
  readonly punctualMs: number
}

/** Measures how long something takes, and beside it how late the machine is. */
export const timed = async <A>(wait: () => Promise<A>): Promise<Timed<A>> => {
  const since = performance.now()
  let lateMs = 0
  let last = since
  const timer = setInterval(() => {
    const now = performance.now()
    lateMs += Math.max(0, now - last - tickMs)
    last = now
  }, tickMs)
  const value = await wait()
  clearInterval(timer)
  const ms = performance.now() - since
  return { value, ms, punctualMs: ms - lateMs }
}
