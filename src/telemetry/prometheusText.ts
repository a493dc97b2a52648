import type * as Context from "effect/Context"
import { formatUnsafe } from "effect/observability/PrometheusMetrics"
import { prometheusName } from "./instruments.ts"

/** Returns the metrics of a registry in the text format of Prometheus. */
export const prometheusText = (context: Context.Context<never>): string =>
  formatUnsafe(context, { metricNameMapper: prometheusName })
