import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** The first of them that is there; `CHROMIUM_PATH` names another. One without windows needs a fifth of the time. */
const USUAL_PATHS = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Where Chromium is installed; undefined when it is not. */
export function findBrowser(): string | undefined {
  const { CHROMIUM_PATH } = process.env
  return [CHROMIUM_PATH ?? '', ...USUAL_PATHS].find((path) => path !== '' && existsSync(path))
}

/** Starts Chromium without a window, and without anything that it would ask of the network. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      // Its sandbox does not start as root, nor in most containers; it only ever visits the demo.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
