import type { ComponentChildren } from "preact"
import type { StageRate } from "../state/rates.ts"
import { rateText, shown } from "./text.ts"

interface StageTableProps {
  readonly stages: ReadonlyArray<StageRate>
  /** The head of the last column. */
  readonly head: ComponentChildren
  /** The cells of the last column. */
  readonly cell: (stage: StageRate) => ComponentChildren
}

/** The stages of the pipelines, with their counts and rates. */
export const StageTable = ({ cell, head, stages }: StageTableProps) => (
  <table>
    <thead>
      <tr>
        <th>Stage</th>
        <th>Kind</th>
        <th class="number">Count</th>
        <th class="number">Rate</th>
        {head}
      </tr>
    </thead>
    <tbody>
      {stages.map((stage, index) => (
        <tr key={index}>
          <td>
            <bdi>{shown(stage.name)}</bdi>
          </td>
          <td>{stage.kind}</td>
          <td class="number">{stage.count.toLocaleString("en")}</td>
          <td class="number">{rateText(stage.rate)}</td>
          {cell(stage)}
        </tr>
      ))}
    </tbody>
  </table>
)
