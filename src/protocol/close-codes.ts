/** The close codes of RFC 6455 §7.4 that this package sends or passes to `onClose`. */

/** The application or the client is done. */
export const NORMAL_CLOSURE = 1000
/** This server is shutting down. The client should reconnect, later or to another server. */
export const GOING_AWAY = 1001
/** The client broke the framing rules. */
export const PROTOCOL_ERROR = 1002
/** Never on the wire: the connection ended without a close frame. */
export const ABNORMAL_CLOSURE = 1006
/** A text message, or a close reason, was not UTF-8. */
export const INVALID_PAYLOAD = 1007
/** The client sent more than is allowed. */
export const POLICY_VIOLATION = 1008
/** A message was larger than is allowed. */
export const MESSAGE_TOO_BIG = 1009
/** A callback of the application failed. */
export const INTERNAL_ERROR = 1011
/** Private to this package (§7.4.2): the client's permission has expired. */
export { PERMISSION_EXPIRED } from './time-v1.js'

/**
 * True if an application may send this code: a code of RFC 6455 §7.4.1 or its registry that is not
 * reserved for local use, or a private code from 3000 to 4999 (§7.4.2).
 */
export function isSendableCloseCode (code: unknown): code is number {
  if (!Number.isInteger(code)) return false
  const value = code as number
  if (value >= 3000 && value <= 4999) return true
  return value >= 1000 && value <= 1014 && value !== 1004 && value !== 1005 && value !== 1006
}
