// Measures one variant of one case, and prints its figures: `node --expose-gc bench/child.ts CASE VARIANT`
import { loadCase } from "./cases.ts"

const [name, variant] = process.argv.slice(2)
const found = (await loadCase(name ?? "")).variants.find((one) => one.name === variant)
if (found === undefined) throw new Error(`case "${name}" has no variant "${variant}"`)
const figures = await found.run()
// what a case leaves behind, such as a release that never ends, must not keep the process
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
