import { rounds } from "../support/rounds.ts"
import { isolatedRunCases } from "./isolatedRun.cases.ts"

isolatedRunCases(rounds(2, 20))
