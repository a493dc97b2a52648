/** The services of a job with what they need, and the stages of its pipelines. */
import { useState } from "preact/hooks"
import type { KnownService } from "../../jobProcess/knownParts.ts"
import { serviceStateText } from "../../jobProcess/stopText.ts"
import { shapeOf } from "../parts/marks.tsx"
import { SearchField } from "../parts/searchField.tsx"
import { shown } from "../parts/text.ts"
import { useManagerNow } from "../state/clock.ts"
import type { OpenJob } from "../state/openJob.ts"
import { GraphPicture, mostNodes } from "./graphPicture.tsx"
import { Stages } from "./stages.tsx"

type Services = ReadonlyMap<string, KnownService>

const GraphTab = ({ job }: { readonly job: OpenJob }) => {
  void job.version.value
  useManagerNow(1_000)
  const services: Services = job.projection.services
  return (
    <div class="graph">
      <h2>Services</h2>
      {services.size === 0 && <p>The job has no services.</p>}
      {services.size > 0 && services.size <= mostNodes && <ServiceGraph services={services} />}
      <ServiceList services={services} />
      <Stages job={job} />
    </div>
  )
}
export default GraphTab

const ServiceGraph = ({ services }: { readonly services: Services }) => {
  const names = [...services.keys()]
  const placeOf = new Map(names.map((name, place) => [name, place]))
  return (
    <GraphPicture
      label="Graph of the services; the table below has the same"
      nodeHeight={40}
      nodes={[...services].map(([name, { isOverdue, state }]) => ({
        name,
        class: `service ${state}${isOverdue ? " overdue" : ""}`,
        note: `${shapeOf(state)} ${serviceStateText({ isOverdue, state })}`
      }))}
      edges={[...services.values()].flatMap(({ dependsOn }, from) =>
        dependsOn.flatMap((needed): ReadonlyArray<readonly [number, number]> => {
          const to = placeOf.get(needed)
          return to === undefined ? [] : [[from, to]]
        })
      )}
    />
  )
}

/** The text of the graph, which can be searched. */
const ServiceList = ({ services }: { readonly services: Services }) => {
  const [text, setText] = useState("")
  const listed = [...services].filter(([name]) => name.toLowerCase().includes(text.toLowerCase()))
  if (services.size === 0) return null
  return (
    <>
      <SearchField label="Search the services" placeholder="service" value={text} onText={setText} />
      <div class="scroll tall" tabIndex={0} role="group" aria-label="Table of the services">
        <table>
          <thead>
            <tr>
              <th>Service</th>
              <th>State</th>
              <th>Lives in</th>
              <th>Needs</th>
            </tr>
          </thead>
          <tbody>
            {listed.slice(0, 1_000).map(([name, { dependsOn, host, isOverdue, state }]) => (
              <tr key={name}>
                <td>
                  <bdi>{shown(name)}</bdi>
                </td>
                <td>
                  <span aria-hidden="true">{shapeOf(state)}</span> {serviceStateText({ isOverdue, state })}
                </td>
                <td>{host === undefined ? "the job" : shown(host)}</td>
                <td>
                  <bdi>{shown(dependsOn.join(", "))}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {listed.length > 1_000 && <p class="quiet">{listed.length - 1_000} more match: search for them.</p>}
    </>
  )
}
