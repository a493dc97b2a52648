/** Chromium of this machine, without anything that it asks of the network by itself. */
import { findChromium } from "../../../scripts/chromium.ts"
import { type Browser, chromium } from "playwright-core"

/**
 * The limit of each wait for the browser, also for its start: it is there so that a test that waits in vain says for what, and
 * measures nothing. A busy machine takes a minute for ten thousand jobs.
 */
export const patienceMs = 180_000

export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium() ?? "/usr/bin/chromium",
    headless: true,
    timeout: patienceMs,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })
