import { installChromium } from "../../scripts/chromium.ts"

/** The tests of the page need Chromium: where there is none it is installed, if that can be done. */
export default (): void => {
  const fault = installChromium()
  if (fault !== undefined) throw new Error(`there is no Chromium for these tests, because ${fault}`)
}
