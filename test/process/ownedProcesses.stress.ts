import { ownedProcessesCases } from "./ownedProcesses.ts"

ownedProcessesCases(true)
