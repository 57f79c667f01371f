import * as codes from '../protocol/close-codes.js'
import type { CloseInfo } from '../api/time-socket.js'

/** How the server ends a connection, and why. All clients share these frozen objects. */
export const TERMINATED = ending(codes.ABNORMAL_CLOSURE, '', 'application')
export const TOO_SLOW = ending(codes.ABNORMAL_CLOSURE, '', 'slow')
export const SILENT = ending(codes.ABNORMAL_CLOSURE, '', 'heartbeat')
export const SHUTTING_DOWN = ending(codes.GOING_AWAY, 'server shutting down', 'shutdown')
export const CALLBACK_FAILED = ending(codes.INTERNAL_ERROR, 'internal error', 'callback')
export const TOO_MANY_MESSAGES = ending(codes.POLICY_VIOLATION, 'too many messages', 'rate')
export const TOO_LARGE = ending(codes.MESSAGE_TOO_BIG, 'message too large', 'size')
export const EXPIRED = ending(codes.PERMISSION_EXPIRED, 'permission expired', 'expired')

/** RFC 6455 §5.5: a control frame carries 125 bytes. The close code takes two of them. */
const MAX_REASON_BYTES = 123

/** How ws ends a connection after an invalid frame, by the code of its error. */
export function endingAfter (errorCode: string | undefined): CloseInfo {
  switch (errorCode) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return ending(codes.MESSAGE_TOO_BIG, '', 'size')
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return ending(codes.POLICY_VIOLATION, '', 'rate')
    case 'WS_ERR_INVALID_UTF8':
    case 'Z_DATA_ERROR':
      return ending(codes.INVALID_PAYLOAD, '', 'protocol')
    default:
      return ending(codes.PROTOCOL_ERROR, '', 'protocol')
  }
}

/** Frozen, because the application gets this object, and connections share it. */
function ending (code: number, reason: string, cause: CloseInfo['cause']): CloseInfo {
  return Object.freeze({ code, reason, cause })
}

/** The first 123 bytes of a close reason, cut between characters: a close frame carries no more. */
export function cutReason (reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= MAX_REASON_BYTES) return bytes.toString()
  let end = MAX_REASON_BYTES
  // 10xxxxxx is a continuation byte: the character that it belongs to does not fit.
  while (bytes.readUInt8(end) >> 6 === 0b10) end--
  return bytes.toString('utf8', 0, end)
}

/**
 * A client's close reason as a log line shows it. Control characters and invisible ones, such as
 * those that reverse the direction of the text, become escapes: `\u{1b}`.
 */
export function printable (reason: string): string {
  return reason.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    `\\u{${Number(character.codePointAt(0)).toString(16)}}`)
}
