/** Rows of one height, of which only those in sight are in the document. */
import type { ComponentChildren } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"

interface Seen {
  readonly top: number
  readonly height: number
}

/** Rows beyond the edge, so that a scroll shows no gap. */
const beyond = 8

/** A browser draws no element that is higher than some 30 million pixels. */
const maxPixels = 15_000_000

export interface VirtualRowsProps {
  readonly count: number
  readonly rowHeight: number
  /** The element that scrolls. */
  readonly scroller: { readonly current: HTMLElement | null }
  readonly render: (index: number) => ComponentChildren
  /** Called when the last rows are in sight. */
  readonly onEnd?: () => void
}

export const VirtualRows = ({ count, onEnd, render, rowHeight, scroller }: VirtualRowsProps) => {
  const [{ height, top }, setSeen] = useState<Seen>({ top: 0, height: 600 })
  const ended = useRef(onEnd)
  ended.current = onEnd
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const look = () =>
      setSeen((seen) =>
        seen.top === element.scrollTop && seen.height === element.clientHeight
          ? seen
          : { top: element.scrollTop, height: element.clientHeight }
      )
    look()
    element.addEventListener("scroll", look, { passive: true })
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => {
      element.removeEventListener("scroll", look)
      observer.disconnect()
    }
  }, [scroller])
  const shownCount = Math.min(count, Math.floor(maxPixels / rowHeight))
  const first = Math.max(0, Math.min(shownCount - 1, Math.floor(top / rowHeight)) - beyond)
  const last = Math.min(shownCount, Math.ceil((top + height) / rowHeight) + beyond)
  const isAtEnd = last >= shownCount
  useLayoutEffect(() => {
    if (isAtEnd) ended.current?.()
  }, [isAtEnd, count])
  const rows: Array<ComponentChildren> = []
  for (let index = first; index < last; index++) rows.push(render(index))
  return (
    <div class="rows" role="presentation" style={{ height: `${shownCount * rowHeight}px` }}>
      <div class="window" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>{rows}</div>
    </div>
  )
}

/** Scrolls so that a row is in sight. */
export const scrollToRow = (scroller: HTMLElement, index: number, rowHeight: number, header = 0): void => {
  const top = index * rowHeight
  const bottom = top + rowHeight + header
  if (top < scroller.scrollTop) scroller.scrollTop = top
  else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight
}
