import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PolicyError } from "../../internal/policy/policyError.ts"
import { variable } from "../../internal/policy/policyFields.ts"

/**
 * Where the replicas of a service run, and what each of them asks for, where its host is `ray`. Each has a variable,
 * which the option wins over: `numCpus` is `AUTOSTOP_RAY_NUM_CPUS`. In a variable, what is not a text is JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface RayOptions {
  /** The API of the cluster, which is that of its dashboard; `http://127.0.0.1:8265` by default. */
  readonly address?: string | undefined
  /** The cluster's token, where it asks for one. */
  readonly token?: string | Redacted.Redacted | undefined
  /** The Ray namespace of the actors; one of their own by default. */
  readonly namespace?: string | undefined
  /** How many CPUs each replica takes of its node; 0 by default. */
  readonly numCpus?: number | undefined
  /** How many GPUs; 0 by default. */
  readonly numGpus?: number | undefined
  /** How much memory, in bytes; 0 by default. */
  readonly memory?: number | undefined
  /** How much of the cluster's custom resources. */
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** The labels that a node must have: Ray's label selector. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Ray's `runtime_env`, as it is. A `working_dir` that is a folder here is uploaded. */
  readonly runtimeEnv?: Readonly<Record<string, unknown>> | undefined
  /** Node on the nodes of the cluster, 22.19 or later: its path, or a name on their PATH; `node` by default. */
  readonly node?: string | undefined
  /** The Python that Ray is installed for, on the head of the cluster; `python` by default. */
  readonly python?: string | undefined
}

/** The settings, and the name that each has where it was written. */
export interface RaySettings {
  readonly address: string
  readonly token: string | undefined
  readonly namespace: string | undefined
  readonly node: string
  readonly python: string
  readonly runtimeEnv: Readonly<Record<string, unknown>>
  /** What each actor asks for, as Ray calls it. */
  readonly actor: Readonly<Record<string, unknown>>
  readonly names: { readonly [K in keyof RayOptions]-?: string }
}

interface Kind<A> {
  readonly expected: string
  /** What a variable says. */
  readonly read: (text: string) => unknown
  readonly isOf: (value: unknown) => value is A
}

const asIs = (text: string): unknown => text
const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text: Kind<string> = {
  expected: "a text that is not empty",
  read: asIs,
  isOf: (value): value is string => typeof value === "string" && value.trim() !== ""
}
const url: Kind<string> = {
  expected: "the URL of the cluster's API, such as \"http://127.0.0.1:8265\"",
  read: asIs,
  isOf: (value): value is string => typeof value === "string" && /^https?:$/.test(URL.parse(value)?.protocol ?? "")
}
const secret: Kind<string | Redacted.Redacted> = {
  expected: "a token without spaces",
  read: asIs,
  isOf: (value): value is string | Redacted.Redacted => /^[\x21-\x7e]+$/.test(plain(value))
}
const amount: Kind<number> = {
  expected: "a number that is not negative",
  read: json,
  isOf: (value): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0
}
const bytes: Kind<number> = {
  expected: "a whole number of bytes",
  read: json,
  isOf: (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0
}
const amounts: Kind<Readonly<Record<string, number>>> = {
  expected: "an amount for each resource, such as {\"disk\": 1}",
  read: json,
  isOf: (value): value is Readonly<Record<string, number>> => isRecord(value) && Object.values(value).every(amount.isOf)
}
const texts: Kind<Readonly<Record<string, string>>> = {
  expected: "a text for each label, such as {\"zone\": \"a\"}",
  read: json,
  isOf: (value): value is Readonly<Record<string, string>> =>
    isRecord(value) && Object.values(value).every((text) => typeof text === "string")
}
const record: Kind<Readonly<Record<string, unknown>>> = {
  expected: "an object, such as {\"working_dir\": \"./src\"}",
  read: json,
  isOf: isRecord
}

const kinds: { readonly [K in keyof RayOptions]-?: Kind<NonNullable<RayOptions[K]>> } = {
  address: url,
  token: secret,
  namespace: text,
  numCpus: amount,
  numGpus: amount,
  memory: bytes,
  resources: amounts,
  labels: texts,
  runtimeEnv: record,
  node: text,
  python: text
}

type Field = keyof RayOptions
const fields = Object.keys(kinds) as ReadonlyArray<Field> // `kinds` has exactly these keys

const variableOf = (field: Field): string => variable(`ray_${field}`)

const plain = (token: unknown): string =>
  Redacted.isRedacted(token) ? String(Redacted.value(token)) : typeof token === "string" ? token : ""

const refuse = (name: string, field: Field, value: unknown): PolicyError =>
  PolicyError.of(name, field === "token" ? "<redacted>" : value, kinds[field].expected)

/** Throws where an option cannot be used. */
export const checkRayOptions = (service: string, options: RayOptions = {}): void => {
  for (const [field, value] of Object.entries(options)) {
    const name = `ray.${field} of service "${service}"`
    if (!isField(field)) throw PolicyError.of(name, value, `one of the settings ${fields.join(", ")}`)
    if (value !== undefined && !kinds[field].isOf(value)) throw refuse(name, field, value)
  }
}

const isField = (name: string): name is Field => Object.hasOwn(kinds, name)

const fromVariable = Effect.fnUntraced(function*(field: Field) {
  const name = variableOf(field)
  const found = yield* Effect.mapError(
    Config.option(Config.String(name)),
    (error) => PolicyError.of(name, error.message, kinds[field].expected)
  )
  if (Option.isNone(found) || found.value === "") return undefined
  const value = kinds[field].read(found.value)
  return kinds[field].isOf(value) ? value : yield* refuse(name, field, value)
})

/** Sees to it that what is configured can be used, before the first service starts. */
export const checkRayVariables: Effect.Effect<void, PolicyError> = Effect.forEach(fields, fromVariable, {
  discard: true
})

/** What the code says, then what the variables say. */
export const raySettingsOf = Effect.fnUntraced(function*(options: RayOptions = {}) {
  const names: Record<string, string> = {}
  const found: Record<string, unknown> = {}
  for (const field of fields) {
    const isOwn = options[field] !== undefined
    names[field] = isOwn ? `ray.${field}` : variableOf(field)
    found[field] = isOwn ? options[field] : yield* fromVariable(field)
  }
  // safe: each was checked by its kind, and `names` has them all
  const { address, labels, memory, namespace, node, numCpus, numGpus, python, resources, runtimeEnv, token } =
    found as RayOptions
  const settings: RaySettings = {
    address: address ?? "http://127.0.0.1:8265",
    token: token === undefined ? undefined : plain(token),
    namespace,
    node: node ?? "node",
    python: python ?? "python",
    runtimeEnv: runtimeEnv ?? {},
    actor: Object.fromEntries(
      Object.entries({ num_cpus: numCpus ?? 0, num_gpus: numGpus, memory, resources, label_selector: labels })
        .filter(([, value]) => value !== undefined)
    ),
    names: names as RaySettings["names"]
  }
  return settings
})
