/** Reads the variables of OpenTelemetry. A wrong one switches off what it is for, and is said; it refuses no program. */
import * as Duration from "effect/Duration"
import { parseDuration } from "../base/durationInput.ts"

export type SignalName = "traces" | "metrics" | "logs"

export interface SignalSettings {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** The limit of one request, in milliseconds. */
  readonly timeoutMs: number
  readonly compression: "gzip" | "none"
}

export interface OtelSettings {
  readonly protocol: "http/protobuf" | "http/json"
  readonly signals: Readonly<Partial<Record<SignalName, SignalSettings>>>
  readonly serviceName: string
  readonly attributes: Readonly<Record<string, string>>
  /** The intervals of the exports, in milliseconds. */
  readonly everyMs: Readonly<Record<SignalName, number>>
  /** The longest that the end of a program waits for its telemetry, in milliseconds. */
  readonly closeMs: number
  /** The faults of the variables, a sentence each. */
  readonly faults: ReadonlyArray<string>
}

type Env = Readonly<Record<string, string | undefined>>

const signalNames = ["traces", "metrics", "logs"] as const
const intervals = {
  traces: ["OTEL_BSP_SCHEDULE_DELAY", 5_000],
  metrics: ["OTEL_METRIC_EXPORT_INTERVAL", 60_000],
  logs: ["OTEL_BLRP_SCHEDULE_DELAY", 1_000]
} as const

const defaultEndpoint = "http://localhost:4318"
const defaultTimeoutMs = 10_000
const closeVariable = "AUTOSTOP_TELEMETRY_TIMEOUT"
const defaultCloseMs = 500

const traceVariable = "AUTOSTOP_TRACE_URL"

/** Returns the address at which people look at a trace, with `{traceId}` in it, and what is wrong with it. */
export const readTraceUrl = (env: Env): { readonly url?: string; readonly fault?: string } => {
  const text = env[traceVariable]?.trim() || undefined
  if (text === undefined) return {}
  return httpUrl(text) !== undefined && text.includes("{traceId}")
    ? { url: text }
    : { fault: `${traceVariable} is no http or https URL with {traceId} in it: traces have no link` }
}

/** `defaultName` is the name of the service if no variable has one. */
export const readOtelSettings = (env: Env, defaultName: string): OtelSettings => {
  const faults: Array<string> = []
  const get = (name: string): string | undefined => env[name]?.trim() || undefined
  const attributes = listOf(get("OTEL_RESOURCE_ATTRIBUTES"), "OTEL_RESOURCE_ATTRIBUTES", faults)
  const { "service.name": named, ...others } = attributes
  const protocol = protocolOf(get("OTEL_EXPORTER_OTLP_PROTOCOL"), faults)
  const signals: Partial<Record<SignalName, SignalSettings>> = {}
  for (const name of signalNames) {
    const settings = protocol === undefined ? undefined : signalOf(name, get, faults)
    if (settings !== undefined) signals[name] = settings
  }
  const interval = (name: SignalName): number => {
    const [variable, otherwise] = intervals[name]
    return msOf(variable, get(variable), otherwise, faults)
  }
  return {
    protocol: protocol ?? "http/protobuf",
    signals,
    serviceName: get("OTEL_SERVICE_NAME") ?? named ?? defaultName,
    attributes: others,
    closeMs: closeMsOf(get(closeVariable), faults),
    everyMs: { traces: interval("traces"), metrics: interval("metrics"), logs: interval("logs") },
    faults
  }
}

type Get = (name: string) => string | undefined

const signalOf = (name: SignalName, get: Get, faults: Array<string>): SignalSettings | undefined => {
  const upper = name.toUpperCase()
  const either = (what: string) => {
    const own = `OTEL_EXPORTER_OTLP_${upper}_${what}`
    return get(own) === undefined ? `OTEL_EXPORTER_OTLP_${what}` : own
  }
  const chosen = get(`OTEL_${upper}_EXPORTER`)
  const exporters = (chosen ?? "").toLowerCase().split(",").map((one) => one.trim()).filter((one) => one !== "")
  const unknown = exporters.find((one) => one !== "otlp" && one !== "none")
  if (unknown !== undefined) faults.push(`OTEL_${upper}_EXPORTER is "${unknown}": autostop has otlp and none`)
  const isOn = chosen === undefined ? get(either("ENDPOINT")) !== undefined : exporters.includes("otlp")
  if (!isOn) return undefined
  const own = get(`OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`)
  const base = get("OTEL_EXPORTER_OTLP_ENDPOINT") ?? defaultEndpoint
  const url = httpUrl(own ?? `${base.replace(/\/+$/, "")}/v1/${name}`)
  if (url === undefined) {
    faults.push(`${either("ENDPOINT")} is no http or https URL: ${name} are not exported`)
    return undefined
  }
  const [headers, timeout, compression] = [either("HEADERS"), either("TIMEOUT"), either("COMPRESSION")]
  return {
    url,
    headers: listOf(get(headers), headers, faults),
    timeoutMs: msOf(timeout, get(timeout), defaultTimeoutMs, faults),
    compression: get(compression) === "gzip" ? "gzip" : "none"
  }
}

const httpUrl = (text: string): URL | undefined => {
  const url = URL.parse(text)
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined
}

const protocolOf = (text: string | undefined, faults: Array<string>): OtelSettings["protocol"] | undefined => {
  if (text === undefined || text === "http/protobuf") return "http/protobuf"
  if (text === "http/json") return text
  faults.push(`OTEL_EXPORTER_OTLP_PROTOCOL is "${text}": autostop has http/protobuf and http/json, and exports nothing`)
  return undefined
}

/** The value of a header may be a secret: what is wrong is said without it. */
const listOf = (text: string | undefined, variable: string, faults: Array<string>): Record<string, string> => {
  const found: Record<string, string> = Object.create(null)
  for (const entry of (text ?? "").split(",")) {
    const [key = "", ...rest] = entry.split("=")
    if (entry.trim() === "") continue
    try {
      if (key.trim() === "" || rest.length === 0) throw new Error("it is no key=value")
      found[decodeURIComponent(key.trim())] = decodeURIComponent(rest.join("=").trim())
    } catch {
      faults.push(`${variable} has an entry that is not key=value with percent-encoding: that entry is left out`)
    }
  }
  return { ...found }
}

const closeMsOf = (text: string | undefined, faults: Array<string>): number => {
  if (text === undefined) return defaultCloseMs
  const duration = parseDuration(text)
  if (duration !== undefined && Duration.isFinite(duration)) return Duration.toMillis(duration)
  faults.push(`${closeVariable} is no duration such as "500ms": it is ${defaultCloseMs} ms`)
  return defaultCloseMs
}

const msOf = (variable: string, text: string | undefined, otherwise: number, faults: Array<string>): number => {
  if (text === undefined) return otherwise
  const ms = Number(text)
  if (Number.isFinite(ms) && ms > 0) return Math.min(ms, 2 ** 31 - 1)
  faults.push(`${variable} is no number of milliseconds: it is ${otherwise}`)
  return otherwise
}
