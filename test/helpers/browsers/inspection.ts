import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { findLowContrast } from './contrast.js'
import { pathOf } from '../root.js'

const SCREENSHOTS = pathOf('screenshots/')
const RESIZE_LIMIT_MS = 180_000
const POLL_MS = 50

/**
 * Looks at a page light and dark, wide and narrow. With `SCREENSHOTS=1` it keeps pictures as well.
 *
 * @param state names what the page shows, and the files.
 * @returns what cannot be read in it.
 */
export async function inspect (page: Page, state: string): Promise<string[]> {
  const defects: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width: 1280, height: 720 })
    const lowContrast = await page.evaluate(findLowContrast)
    defects.push(...lowContrast.map((text) => `${state}, ${colorScheme}: ${text}`))
    if (process.env['SCREENSHOTS'] === '1') await takePictures(page, `${state}-${colorScheme}`)
  }
  await page.setViewportSize({ width: 320, height: 720 })
  const cutOff = await findCutOff(page)
  return [...defects, ...cutOff.map((name) => `${state}: ${name} is cut off`)]
}

async function takePictures (page: Page, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 720 })
    await page.screenshot({ path: `${SCREENSHOTS}${name}-${width}.png`, fullPage: true })
  }
}

/** The elements that are wider than their space. Plots get a minute to take the new width. */
async function findCutOff (page: Page): Promise<string[]> {
  const deadlineMs = performance.now() + RESIZE_LIMIT_MS
  for (;;) {
    const cutOff = await page.evaluate(() => Array.from(document.querySelectorAll('*'))
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth && clientWidth > 0)
      .map(({ id, className, tagName }) => id || className || tagName))
    if (cutOff.length === 0 || performance.now() > deadlineMs) return cutOff
    await setTimeout(POLL_MS)
  }
}
