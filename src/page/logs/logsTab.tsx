/** The output of a job: as much as is kept, drawn where it is seen, with marks where the stop's events lie. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { whole } from "../../base/format.ts"
import { messageOf } from "../api/request.ts"
import { SearchField } from "../parts/searchField.tsx"
import { scrollToRow, VirtualRows } from "../parts/virtualRows.tsx"
import { rowAt } from "../state/logBuffer.ts"
import type { OpenJob } from "../state/openJob.ts"
import { logRowHeight, LogRowView } from "./logRow.tsx"
import { saveLog } from "./saveLog.ts"
import { rowsWith } from "./searchLog.ts"

export const LogsTab = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  const { log } = job
  const scroller = useRef<HTMLDivElement>(null)
  const [follows, setFollows] = useState(true)
  const [query, setQuery] = useState("")
  const [place, setPlace] = useState(0)
  const [fault, setFault] = useState<string | undefined>(undefined)
  const marks = log.placedMarks
  const count = log.lines.length + marks.length
  // the search is made again with each line that comes: it looks at the new ones alone
  const found = useMemo(() => rowsWith(query), [query, log])
  const hits = found(log.lines, marks)
  const current = hits[Math.min(place, hits.length - 1)]

  useEffect(() => {
    if (follows && scroller.current !== null) scroller.current.scrollTop = scroller.current.scrollHeight
  }, [count, follows])
  const goTo = (next: number) => {
    if (hits.length === 0) return
    const index = ((next % hits.length) + hits.length) % hits.length
    setPlace(index)
    setFollows(false)
    const row = hits[index]
    // the lines around it are seen too
    if (row !== undefined && scroller.current !== null) {
      scrollToRow(scroller.current, Math.max(0, row - 5), logRowHeight)
      scrollToRow(scroller.current, Math.min(count - 1, row + 5), logRowHeight)
    }
  }
  return (
    <div class="logs">
      <div class="log-tools" role="group" aria-label="Log">
        <SearchField
          label="Search the log"
          placeholder="search; Enter goes on"
          value={query}
          onText={(text) => {
            setQuery(text)
            setPlace(0)
          }}
          onKeyDown={(event) => event.key === "Enter" && goTo(place + (event.shiftKey ? -1 : 1))}
        />
        <span role="status">
          {query === ""
            ? ""
            : hits.length === 0
            ? "not found"
            : `${Math.min(place, hits.length - 1) + 1} of ${whole(hits.length)}`}
        </span>
        <button type="button" disabled={hits.length === 0} onClick={() => goTo(place - 1)}>Previous</button>
        <button type="button" disabled={hits.length === 0} onClick={() => goTo(place + 1)}>Next</button>
        <label class="inline">
          <input type="checkbox" checked={follows} onChange={() => setFollows(!follows)} /> follow
        </label>
        <button
          type="button"
          onClick={() => void saveLog(job.id).catch((error: unknown) => setFault(messageOf(error)))}
        >
          Download all
        </button>
        <span class="quiet">
          {whole(log.lines.length)} lines{log.dropped > 0 && `, ${whole(log.dropped)} earlier ones dropped`}
        </span>
        {fault !== undefined && <span class="fault" role="alert">{fault}</span>}
      </div>
      <div
        ref={scroller}
        class="log"
        tabIndex={0}
        role="log"
        aria-label="Output of the job"
        aria-live="off"
        onWheel={(event) => event.deltaY < 0 && setFollows(false)}
        onKeyDown={(event) => ["PageUp", "ArrowUp", "Home"].includes(event.key) && setFollows(false)}
      >
        <VirtualRows
          count={count}
          rowHeight={logRowHeight}
          scroller={scroller}
          render={(index) => {
            const row = rowAt(log.lines, marks, index)
            return row && <LogRowView key={index} row={row} query={query} isCurrent={index === current} />
          }}
        />
      </div>
    </div>
  )
}
