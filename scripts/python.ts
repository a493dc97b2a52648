// The Python part of Ray hosts goes where what was built looks for it.
import { copyFileSync } from "node:fs"

copyFileSync(new URL("../src/host/ray/host.py", import.meta.url), new URL("../dist/host/ray/host.py", import.meta.url))
