import { passedText } from "../../jobProcess/stopText.ts"
import { plural } from "../../base/format.ts"
import type { Bin, StopPicture } from "./stopPicture.ts"

/** The releases of the services that have no bar of their own. */
export const Histogram = ({ picture: { bins, others } }: { readonly picture: StopPicture }) => {
  const most = Math.max(...bins.map(({ count }) => count), 1)
  return (
    <section class="histogram" aria-labelledby="histogram-title">
      <h2 id="histogram-title">{plural(others.length, "more service")}, by the time of their release</h2>
      <table>
        <thead>
          <tr>
            <th>Time</th>
            <th class="number">Services</th>
            <th>
              <span class="hidden">Share</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {bins.map((bin) => (
            <tr key={bin.belowMs}>
              <td>{belowText(bin)}</td>
              <td class="number">{bin.count}</td>
              <td>
                <meter min={0} max={most} value={bin.count} aria-label={`${bin.count} services`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const belowText = ({ belowMs }: Bin): string =>
  belowMs === Infinity ? "longer" : `below ${passedText({ elapsedMs: belowMs })}`
