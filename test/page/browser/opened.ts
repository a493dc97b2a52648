import { assert } from "@effect/vitest"
import type { Browser, Page } from "playwright-core"
import { patienceMs, startChromium } from "./chromium.ts"

export interface OpenOptions {
  readonly token?: string
  readonly colorScheme?: "light" | "dark"
  /** What comes after the address. */
  readonly path?: string
}

/** Chromium with pages of a manager. Closing it fails if a page has thrown, or has tried what its policy forbids. */
export class Chromium implements AsyncDisposable {
  readonly browser: Browser
  readonly faults: Array<string> = []

  private constructor(browser: Browser) {
    this.browser = browser
  }

  static async start(): Promise<Chromium> {
    return new Chromium(await startChromium())
  }

  /** Opens the page in a browser profile of its own. */
  async open(url: string, { colorScheme = "light", path = "/", token = "" }: OpenOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } })
    context.setDefaultTimeout(patienceMs)
    const page = await context.newPage()
    page.on("pageerror", ({ message }) => this.faults.push(message))
    // these are printed if the test fails
    page.on("requestfailed", (request) => console.log(`${request.url()} failed: ${request.failure()?.errorText}`))
    page.on("console", (message) => {
      const text = message.text()
      console.log(`the page says: ${text}`)
      if (/content security policy|trusted ?(type|html|script)/i.test(text)) this.faults.push(text)
    })
    // a dialog of the browser itself comes only from foreign code
    page.on("dialog", (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    if (token !== "") await page.addInitScript(`sessionStorage.setItem("autostop-token", ${JSON.stringify(token)})`)
    if (url !== "about:blank") await page.goto(`${url}${path}`)
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    assert.deepStrictEqual(this.faults, [])
  }
}
