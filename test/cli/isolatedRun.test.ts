import { isolatedRunCases } from "./isolatedRun.cases.ts"

isolatedRunCases(1)
