import * as codes from './close-codes.js'
import type { CloseInfo } from './types.js'

/** How this side ends a connection, and why. */
export const TERMINATED: CloseInfo = {
  code: codes.ABNORMAL_CLOSURE, reason: '', cause: 'application'
}
export const TOO_SLOW: CloseInfo = { code: codes.ABNORMAL_CLOSURE, reason: '', cause: 'slow' }
export const SHUTTING_DOWN: CloseInfo = {
  code: codes.GOING_AWAY, reason: 'server shutting down', cause: 'shutdown'
}
export const CALLBACK_FAILED: CloseInfo = {
  code: codes.INTERNAL_ERROR, reason: 'internal error', cause: 'callback'
}
export const TOO_MANY_MESSAGES: CloseInfo = {
  code: codes.POLICY_VIOLATION, reason: 'too many messages', cause: 'rate'
}

/** RFC 6455 §5.5: a control frame carries 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123

/** How ws ends a connection by itself after a bad frame, by the code of its error. */
export function endingAfter (errorCode: string | undefined): CloseInfo {
  switch (errorCode) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return { code: codes.MESSAGE_TOO_BIG, reason: '', cause: 'size' }
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return { code: codes.POLICY_VIOLATION, reason: '', cause: 'rate' }
    case 'WS_ERR_INVALID_UTF8':
      return { code: codes.INVALID_PAYLOAD, reason: '', cause: 'protocol' }
    default:
      return { code: codes.PROTOCOL_ERROR, reason: '', cause: 'protocol' }
  }
}

/** As much of a close reason as a close frame carries, in whole characters. */
export function cutReason (reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= MAX_REASON_BYTES) return bytes.toString()
  let end = MAX_REASON_BYTES
  // 10xxxxxx is a continuation byte: the character it belongs to does not fit.
  while ((bytes[end] ?? 0) >> 6 === 0b10) end--
  return bytes.toString('utf8', 0, end)
}
