/** The time of the manager. */
import { useEffect, useState } from "preact/hooks"
import { EventClock } from "../../base/eventClock.ts"

let clock = new EventClock(Date.now(), performance.now())

/** Sets the clock by what the manager says at the start of a feed, whatever the clock of this browser says. */
export const setClock = (at: string): void => {
  const ms = Date.parse(at)
  if (!Number.isNaN(ms)) clock = new EventClock(ms, performance.now())
}

/** Takes note of a time that the manager or a job of it has written before this moment. */
export const heard = (at: string): void => clock.heard(at, performance.now())

export const managerNow = (): number => clock.now(performance.now())

/** Returns the time of the manager, and draws again whenever so much of it has passed; never if `everyMs` is 0. */
export const useManagerNow = (everyMs: number): number => {
  const [, setNow] = useState(0)
  useEffect(() => {
    if (everyMs === 0) return
    const timer = setInterval(() => setNow(managerNow()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return managerNow()
}

/** Returns how long ago something was; never negative. */
export const ageOf = (at: string, now: number): number => {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? 0 : Math.max(0, now - ms)
}
