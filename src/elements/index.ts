import { ServerCountdownElement } from './server-countdown.js'
import { ServerTimeElement } from './server-time.js'

export type { CountdownFormat } from './server-countdown.js'
export type { DateTimeStyle, HourCycle } from './server-time.js'
export type { Transport } from './shared-clocks.js'
export type { TimeElement } from './time-element.js'
export { ServerCountdownElement, ServerTimeElement }

declare global {
  interface HTMLElementTagNameMap {
    'server-time': ServerTimeElement
    'server-countdown': ServerCountdownElement
  }
}

// Not in Node.js, and not twice if a page loads both the bundled and the served module.
if (globalThis.customElements && !customElements.get('server-time')) {
  customElements.define('server-time', ServerTimeElement)
  customElements.define('server-countdown', ServerCountdownElement)
}
