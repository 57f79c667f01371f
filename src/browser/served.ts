import { ServerClock } from './server-clock.js'

/**
 * The entry of `dist/served/client.js`, which the plugin serves at `<url>/client.js`: a clock
 * without a URL connects to `<url>`. A bundled client uses `index.ts` instead.
 */
export * from './index.js'

ServerClock.defaultUrl = new URL('.', import.meta.url).href.slice(0, -1)
