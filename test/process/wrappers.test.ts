import { wrapperCases, wrappers } from "./wrappers.ts"

// the others run under stress
wrapperCases(wrappers.filter(([name]) => name === "nothing" || name === "node --watch"), 1)
