import { rounds } from "../support/rounds.ts"
import { wrapperCases, wrappers } from "./wrappers.ts"

wrapperCases(wrappers, rounds(1, 20))
