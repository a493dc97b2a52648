import { wrapperCases, wrappers } from "./wrappers.ts"

wrapperCases(wrappers, 1)
