/** Whether `await` would wait for it: a promise of any library's. */
export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/**
 * A promise of our own for one of the application's: its `then` does what it should, whatever
 * becomes of the other.
 */
export async function adopt<Value> (thenable: Value): Promise<Awaited<Value>> {
  return await thenable
}

/** Lets it reject without anybody being told. */
export function disregard (thenable: PromiseLike<unknown>): void {
  adopt(thenable).catch(() => {})
}
