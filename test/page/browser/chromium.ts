/** Chromium of this machine, without anything that it asks of the network by itself. */
import { findChromium } from "../../../scripts/chromium.ts"
import { type Browser, chromium } from "playwright-core"

export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium() ?? "/usr/bin/chromium",
    headless: true,
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
