import type { Page } from 'playwright-core'

/**
 * Sets the clock of the page's device wrong, before any script of a page runs. `performance` is
 * left alone, as when somebody sets a clock by hand.
 *
 * @returns sets it wrong by another amount, while the page runs.
 */
export async function setDateWrong (
  page: Page, byMs: number
): Promise<(byMs: number) => Promise<void>> {
  await page.addInitScript((initialMs) => {
    const RealDate = Date
    let wrongMs = initialMs
    const now = () => RealDate.now() + wrongMs
    Reflect.set(globalThis, 'setDateWrong', (ms: number) => { wrongMs = ms })
    globalThis.Date = new Proxy(RealDate, {
      construct: (target, given) => Reflect.construct(target, given.length === 0 ? [now()] : given),
      apply: () => String(new RealDate(now())),
      get: (target, name) => name === 'now' ? now : Reflect.get(target, name)
    })
  }, byMs)
  return (ms) => page.evaluate((ms) => Reflect.get(globalThis, 'setDateWrong')(ms), ms)
}
