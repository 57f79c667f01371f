import type { Connection } from './connection/connection.js'
import type { Page, PageEvent } from './environment.js'

/** Starts or stops listening to the page. */
export type ListenToPage = (method: 'addEventListener' | 'removeEventListener') => void

const NAMES = ['visibilitychange', 'pagehide', 'pageshow', 'resume', 'online']

/**
 * Creates a function that lets a connection know what happens to the page. A page that comes back,
 * can be seen or is online again, asks for the time at once. One that goes into the back/forward
 * cache must not keep a connection: the browser would not cache it.
 */
export function createPageListener (
  page: Page,
  { onPageCached, onPageShown, resync }: Pick<Connection, 'onPageCached' | 'onPageShown' | 'resync'>
): ListenToPage {
  function onPageEvent ({ type, persisted }: PageEvent): void {
    if (type === 'pagehide') {
      if (persisted) onPageCached()
    } else if (type === 'pageshow') onPageShown()
    else if (type !== 'visibilitychange' || !page.document?.hidden) resync(false)
  }

  return (method) => {
    for (const name of NAMES) page[method]?.(name, onPageEvent, true)
  }
}
