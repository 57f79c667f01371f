import type { Connection } from './connection/connection.js'
import type { Page, PageEvent } from './environment.js'

/** Starts or stops listening to the page. */
export type ListenToPage = (method: 'addEventListener' | 'removeEventListener') => void

const NAMES = ['visibilitychange', 'pagehide', 'pageshow', 'resume', 'online']

/**
 * Creates a function that starts or stops passing the page's events to a connection. The connection
 * probes the server at once when the page returns, becomes visible or is online again. The
 * connection is closed when the page enters the back/forward cache: some browsers do not cache a
 * page with an open connection.
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
