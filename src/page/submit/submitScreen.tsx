/** Submits a registered job: its payload by a form or as JSON, and its settings. */
import { useEffect, useState } from "preact/hooks"
import type { JobInfo } from "../api/models.ts"
import { getJson, messageOf, postJson } from "../api/request.ts"
import { actionFault } from "../api/session.ts"
import { shown } from "../parts/text.ts"
import { manager, takeJob } from "../state/jobs.ts"
import { goTo, jobHref } from "../state/route.ts"
import { type PayloadFault, payloadFault } from "./faultPath.ts"
import { JsonField, SchemaField } from "./fields.tsx"
import { initialOf, type JsonSchema } from "./jsonSchema.ts"
import { type Settings, SettingsFields, submissionOf } from "./settings.tsx"

interface JobType {
  readonly name: string
  readonly payload?: JsonSchema
}

export const SubmitScreen = () => {
  const [names, setNames] = useState<ReadonlyArray<string> | undefined>(undefined)
  const [name, setName] = useState<string | undefined>(undefined)
  const [fault, setFault] = useState<string | undefined>(undefined)
  const epoch = manager.value?.at
  useEffect(() => {
    getJson<{ readonly jobs: ReadonlyArray<string> }>("info").then(({ jobs }) => {
      setNames(jobs)
      setName((name) => name ?? jobs[0])
    }, (error: unknown) => setFault(messageOf(error)))
  }, [epoch])
  return (
    <section class="screen submit" aria-labelledby="submit-title">
      <h1 id="submit-title">Submit a job</h1>
      {fault !== undefined && <p class="fault" role="alert">{fault}</p>}
      {names?.length === 0 && (
        <p>This manager has no registered jobs: the command line brings one along, autostop submit FILE.</p>
      )}
      {names !== undefined && names.length > 0 && (
        <label>
          Job
          <select value={name ?? ""} onChange={(event) => setName(event.currentTarget.value)}>
            {names.map((each) => <option key={each} value={each}>{shown(each)}</option>)}
          </select>
        </label>
      )}
      {name !== undefined && <SubmitForm key={name} name={name} />}
    </section>
  )
}

const SubmitForm = ({ name }: { readonly name: string }) => {
  const [type, setType] = useState<JobType | undefined>(undefined)
  const [payload, setPayload] = useState<unknown>(undefined)
  const [asJson, setAsJson] = useState(false)
  const [settings, setSettings] = useState<Settings>({})
  const [fault, setFault] = useState<PayloadFault | undefined>(undefined)
  useEffect(() => {
    const take = (type: JobType) => {
      setType(type)
      if (type.payload !== undefined) setPayload(initialOf(type.payload, type.payload))
    }
    // without its Schema the payload is JSON, and the manager checks it all the same
    getJson<JobType>(`job-types/${encodeURIComponent(name)}`).then(take, () => take({ name }))
  }, [name])
  const submit = async () => {
    setFault(undefined)
    try {
      if (payload instanceof SyntaxError) throw new Error("The payload is no JSON yet")
      const info = await postJson<JobInfo>("jobs", {
        job: name,
        ...(payload === undefined ? {} : { payload }),
        ...submissionOf(settings)
      })
      takeJob(info)
      goTo(jobHref(info.id))
    } catch (error) {
      setFault(payloadFault(messageOf(error)))
    }
  }
  if (type === undefined) return <p role="status">Reading what the job takes …</p>
  const schema = type.payload
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {schema !== undefined && (
        <label class="inline">
          <input type="checkbox" checked={asJson} onChange={() => setAsJson(!asJson)} /> edit the payload as JSON
        </label>
      )}
      {schema === undefined || asJson
        ? <JsonField label="Payload" value={payload} path={[]} fault={fault} onChange={setPayload} />
        : (
          <SchemaField
            label="Payload"
            schema={schema}
            root={schema}
            path={[]}
            fault={fault}
            value={payload}
            onChange={setPayload}
          />
        )}
      <SettingsFields settings={settings} onChange={setSettings} />
      {fault !== undefined && <p class="fault" role="alert">The manager refuses it: {shown(fault.message)}</p>}
      <p class="buttons">
        <button type="submit" class="primary" disabled={actionFault() !== undefined} title={actionFault()}>
          Submit
        </button>
      </p>
    </form>
  )
}
