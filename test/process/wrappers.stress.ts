import { rounds } from "../support/rounds.ts"
import { restartCases, wrapperCases, wrappers } from "./wrappers.ts"

wrapperCases(wrappers, rounds(1, 20))
restartCases()
