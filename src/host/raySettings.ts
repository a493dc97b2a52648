import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PolicyError } from "../internal/policy/policyError.ts"
import { variable } from "../internal/policy/policyFields.ts"
import { illegalOption } from "../base/illegalOption.ts"

/**
 * The cluster that the replicas of a service run in, and the resources that each of them asks for.
 *
 * **Details**
 *
 * Each option wins over a variable: `numCpus` over `AUTOSTOP_RAY_NUM_CPUS`. The value of a variable is JSON, unless the
 * option is a string.
 *
 * @category models
 * @since 0.1.0
 */
export interface RayOptions {
  /** The URL of the API of the cluster, which its dashboard serves; `http://127.0.0.1:8265` by default. */
  readonly address?: string | undefined
  /** The token of the cluster; none by default. */
  readonly token?: string | Redacted.Redacted | undefined
  /** The Ray namespace of the actors; a new one for each service by default. */
  readonly namespace?: string | undefined
  /** The CPUs that each replica reserves on its node; 0 by default. */
  readonly numCpus?: number | undefined
  /** The GPUs that each replica reserves; 0 by default. */
  readonly numGpus?: number | undefined
  /** The memory that each replica reserves, in bytes; 0 by default. */
  readonly memory?: number | undefined
  /** The amount of each custom resource of the cluster that each replica reserves; none by default. */
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** The labels that a node must have: Ray's label selector. None by default. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Ray's `runtime_env`; empty by default. A `working_dir` that is a folder of this machine is uploaded. */
  readonly runtimeEnv?: Readonly<Record<string, unknown>> | undefined
  /** Node.js 22.19 or later on the nodes of the cluster: a path, or a name on their PATH; `node` by default. */
  readonly node?: string | undefined
  /** The Python on the head of the cluster that Ray is installed for; `python` by default. */
  readonly python?: string | undefined
}

/** All settings, and the name of each where it was written. */
export interface RaySettings {
  readonly address: string
  readonly token: string | undefined
  readonly namespace: string | undefined
  readonly node: string
  readonly python: string
  readonly runtimeEnv: Readonly<Record<string, unknown>>
  /** The request of each actor, in the words of Ray. */
  readonly actor: Readonly<Record<string, unknown>>
  readonly names: { readonly [K in keyof RayOptions]-?: string }
}

/** A type of settings. */
interface Kind<A> {
  readonly expected: string
  /** Reads the text of a variable. */
  readonly read: (text: string) => unknown
  readonly isOf: (value: unknown) => value is A
}

/** Files and shells end a text with a newline. */
const trimmed = (text: string): unknown => text.trim()
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
  expected: "a non-empty string",
  read: trimmed,
  isOf: (value): value is string => typeof value === "string" && value.trim() !== ""
}
const url: Kind<string> = {
  expected: "the URL of the cluster's API, such as \"http://127.0.0.1:8265\"",
  read: trimmed,
  isOf: (value): value is string => typeof value === "string" && /^https?:$/.test(URL.parse(value)?.protocol ?? "")
}
const secret: Kind<string | Redacted.Redacted> = {
  expected: "a token without spaces",
  read: trimmed,
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
  expected: "a string for each label, such as {\"zone\": \"a\"}",
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

/** No message shows a token. */
const shown = (field: Field, value: unknown): unknown => field === "token" ? "<redacted>" : value

/** Throws an `IllegalArgumentError` if an option cannot be used. */
export const checkRayOptions = (service: string, options: RayOptions = {}): void => {
  for (const [field, value] of Object.entries(options)) {
    const name = `ray.${field} of service "${service}"`
    if (!isField(field)) throw illegalOption(name, value, `one of the settings ${fields.join(", ")}`)
    if (value !== undefined && !kinds[field].isOf(value)) {
      throw illegalOption(name, shown(field, value), kinds[field].expected)
    }
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
  return kinds[field].isOf(value) ? value : yield* PolicyError.of(name, shown(field, value), kinds[field].expected)
})

/** Fails if a variable about Ray cannot be used. Runs before the first service starts. */
export const checkRayVariables: Effect.Effect<void, PolicyError> = Effect.forEach(fields, fromVariable, {
  discard: true
})

/** The settings of a service: its options win over the variables. */
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
