/**
 * Whether it is an object whose fields are all its own, as literals and JSON make it.
 * Others, such as a Map or a promise, seem to have no fields at all.
 */
export function isPlainObject (value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The second is Object.prototype, of whatever realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
