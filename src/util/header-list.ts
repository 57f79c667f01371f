/** One element of a header that is a comma-separated list (RFC 9110 §5.6.1), such as `Accept`. */
export interface ListElement {
  /** In lower case, without parameters. */
  readonly value: string
  /** In lower case: `id=12`, `q=0.5`. */
  readonly parameters: readonly string[]
}

/** A quoted string, or the rest of the header if the closing quote is missing. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/gs
/** A weight that says "not acceptable" (RFC 9110 §12.4.2). */
const UNWANTED = /^q=0(\.0{0,3})?$/

/**
 * Reads a list header in linear time, even if a client has sent it malformed. Leaves out elements
 * with the weight 0. A comma or semicolon inside a quoted string is no separator, and is replaced
 * by a blank.
 */
export function readHeaderList (header: string): ListElement[] {
  const unambiguous = header.includes('"') ? header.replace(QUOTED, blankSeparators) : header
  return unambiguous.toLowerCase().split(',')
    .map(readElement)
    .filter(({ parameters }) => !parameters.some((parameter) => UNWANTED.test(parameter)))
}

function readElement (text: string): ListElement {
  const [value = '', ...parameters] = text.split(';').map((part) => part.trim())
  return { value, parameters }
}

function blankSeparators (quoted: string): string {
  return quoted.replace(/[,;]/g, ' ')
}
