/** Loads the program of a thread or process of this package, whose path is the first argument. */
import { pathToFileURL } from "node:url"
import { keepCompiled, linkPrebundle } from "./prebundle.ts"

process.argv.splice(1, 1)
const [, program = ""] = process.argv
keepCompiled()
await import(linkPrebundle(pathToFileURL(program).href))
