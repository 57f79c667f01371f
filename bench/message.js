/** In each message once, and in no header, handshake or frame around it: what is counted. */
export const MARK = '~'

/** Characters of each message, of one byte each: what a time as text comes to. */
export const LENGTH = 40

/** The text of the message with this number: always as long. */
export function textOf (seq) {
  return `${MARK}${seq}`.padEnd(LENGTH, '.')
}
