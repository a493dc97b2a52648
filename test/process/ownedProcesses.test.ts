import { ownedProcessesCases } from "./ownedProcesses.ts"

ownedProcessesCases(false)
