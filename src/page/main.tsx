/** The page of a job manager: the entry of its bundle. */
import { render } from "preact"
import { useOpeningCode } from "./api/openingCode.ts"
import { followRole } from "./api/role.ts"
import { App } from "./app.tsx"
import { syncRoute } from "./state/route.ts"
import { beginTab } from "./state/tab.ts"

/** The features that the page needs, as a browser is asked for them. */
const features: Readonly<Record<string, boolean>> = {
  "streams of text": "TextDecoderStream" in globalThis,
  "dialogs": "HTMLDialogElement" in globalThis,
  "light and dark colours": CSS.supports("color", "light-dark(black, white)"),
  "grouping": "groupBy" in Map
}

const root = document.querySelector("#page")
const missing = Object.keys(features).filter((name) => features[name] !== true)
if (root !== null && missing.length > 0) {
  root.textContent =
    `This browser is too old for the page: it lacks ${missing.join(", ")}. The command line shows the ` +
    "same: autostop watch."
} else if (root !== null) {
  await useOpeningCode()
  syncRoute()
  root.replaceChildren()
  render(<App />, root)
  beginTab()
  followRole()
}
