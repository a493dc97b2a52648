import { fileURLToPath } from "node:url"

/** The path of a file of the npm package vega-datasets. */
export const dataset = (file: string): string =>
  fileURLToPath(new URL(`../data/${file}`, import.meta.resolve("vega-datasets")))
