import { manyFamilies } from "./families.ts"

// the others run under stress
manyFamilies(["run", "manager", "process host", "thread host"])
