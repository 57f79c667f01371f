import type { Scalar } from '../api/time-socket.js'

/** Whether it is a value that `where` can compare, and JSON can express. */
export function isScalar (value: unknown): value is Scalar {
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}
