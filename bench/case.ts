/** What one process has measured: a number for each figure of its case. */
export type Figures = Readonly<Record<string, number>>

export type Unit = "ms" | "ns" | "bytes" | "MiB" | "services" | "processes"

export interface Variant {
  readonly name: string
  /** Warms up, then measures. Runs once, in a process of its own. */
  readonly run: () => Promise<Figures>
  /** Says in one sentence what it needs and this machine lacks, if anything: it is then left out. */
  readonly lacks?: () => string | undefined
}

/** What a figure must be: a ratio to the same figure of a peer, or, without a peer, the figure itself. */
export interface Target {
  readonly figure: string
  readonly peer?: string
  readonly is: "≤" | "<" | "="
  readonly limit: number
}

export interface Case {
  readonly title: string
  /** The unit of each figure. */
  readonly figures: Readonly<Record<string, Unit>>
  /** The first is the one that the others are peers of. */
  readonly variants: readonly [Variant, ...Array<Variant>]
  /** What Node is told besides, for each variant alike. */
  readonly node?: ReadonlyArray<string>
  /** A case without targets is for information. */
  readonly targets: ReadonlyArray<Target>
}

export const isCase = (u: unknown): u is Case =>
  typeof u === "object" && u !== null && "title" in u && "figures" in u && "variants" in u && "targets" in u
