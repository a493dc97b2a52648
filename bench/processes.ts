import { Schema } from "effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Figures } from "./case.ts"

/** The project that this file belongs to. */
export const here = fileURLToPath(new URL("..", import.meta.url))

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Finite)))

/** One measurement of one variant of a case, in a process of its own, with the project in a folder. */
export const measure = async (
  project: string,
  name: string,
  variant: string,
  node: ReadonlyArray<string> = []
): Promise<Figures> => {
  const args = ["--expose-gc", ...node, join(project, "bench", "child.ts"), name, variant]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return decode(stdout)
}

export const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}
