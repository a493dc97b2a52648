import { hostileRuns } from "./hostileValues.cases.ts"

hostileRuns([
  ["throw", "the groups of a match"],
  ["throw", "an error of a class that throws"],
  ["reject", "an error whose stack throws"],
  ["fail", "a proxy whose every trap throws"],
  ["die", "an error whose name is a symbol"],
  ["return", "a Map with itself"],
  ["return", "a revoked proxy"],
  ["log", "an error whose stack throws"]
])
