/**
 * The file that a thread or process of this package begins with. `from` is the `import.meta.url` of the caller, `path`
 * is relative to it and has no extension: sources begin with sources, built files with built files.
 */
export const entryPoint = (from: string, path: string): URL =>
  new URL(`${path}${from.endsWith(".ts") ? ".ts" : ".js"}`, from)

/** The file that loads the program of a thread or process, which is its first argument. */
export const programLoader = entryPoint(import.meta.url, "./programLoader")
