/** The origins that pages in apps and extensions send: `capacitor://localhost`, `chrome-extension://…`. */
const APP_ORIGIN = /^([a-z][a-z\d+.-]*):\/\/[^\s/?#@\\*,"'<>]*$/
/** Schemes that no app has: an origin with one of them is a mistake. */
const OTHER_SCHEMES = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'blob', 'data', 'javascript'])

/**
 * The origin that this text names, if the text differs from the canonical form only in case and
 * the default port. A URL parser also accepts a path, credentials, blanks or `127.1`, which no
 * browser sends (RFC 6454 §7.1).
 */
export function parseOrigin (text: string): string | undefined {
  const origin = canonicalOrigin(text)
  if (origin === undefined) return undefined
  const lowered = text.toLowerCase()
  const defaultPort = origin.startsWith('https:') ? ':443' : ':80'
  return lowered === origin || lowered === origin + defaultPort ? origin : undefined
}

/**
 * The origin of an http or https URL, as browsers write it; undefined for any other text. A URL
 * parser accepts `*` as part of a name, but here a `*` would be meant as a wildcard, and no host
 * has such a name.
 */
export function canonicalOrigin (text: string): string | undefined {
  if (!URL.canParse(text) || text.includes('*')) return undefined
  const { origin, protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined
}

/** True for the origin of an app or extension, in the form in which browsers send it. */
export function isAppOrigin (text: string): boolean {
  const scheme = APP_ORIGIN.exec(text)?.[1]
  return scheme !== undefined && !OTHER_SCHEMES.has(scheme)
}
