/** The text of the timeline: each service of the picture in a row. */
import type { EventProjection } from "../../jobProcess/eventProjection.ts"
import { passedText, serviceStateText } from "../../jobProcess/stopText.ts"
import { millis } from "../../base/format.ts"
import type { Report } from "../api/models.ts"
import { shapeOf } from "../parts/marks.tsx"
import { shown } from "../parts/text.ts"
import type { StopPicture } from "./stopPicture.ts"

interface ServiceTableProps {
  readonly picture: StopPicture
  readonly lastRun: Report | undefined
  readonly projection: EventProjection
}

export const ServiceTable = ({ lastRun, picture, projection }: ServiceTableProps) =>
  picture.services.length === 0 ? null : (
    <table class="services">
      <caption>Services</caption>
      <thead>
        <tr>
          <th>Service</th>
          <th>State</th>
          <th>Release</th>
          <th>Last run</th>
          <th>Needs</th>
          <th>Error</th>
        </tr>
      </thead>
      <tbody>
        {picture.services.map((service) => {
          const last = lastRun?.services.find(({ name }) => name === service.name)
          const error = projection.services.get(service.name)?.error
          return (
            <tr key={service.name} class={`service ${service.state}${service.isOverdue ? " overdue" : ""}`}>
              <td>
                <bdi>{shown(service.name)}</bdi>
              </td>
              <td>
                <span aria-hidden="true">{shapeOf(service.state)}</span> {serviceStateText(service)}
              </td>
              <td>{service.release === undefined ? "" : passedText(service)}</td>
              <td>{last === undefined ? "" : `${last.outcome}, ${millis(last.releaseMs)}`}</td>
              <td>
                <bdi>{shown(service.dependsOn.join(", "))}</bdi>
              </td>
              <td>
                <bdi>{error === undefined ? "" : shown(error)}</bdi>
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
