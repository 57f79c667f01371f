/**
 * Takes what another server has published: the same bytes. Never throws. May be given what this
 * server published itself, anything twice, and anything that is no message at all.
 */
export type Deliver = (payload: Uint8Array) => void

/**
 * Carries broadcasts between servers as opaque bytes. The plugin decides what the bytes mean, and
 * which messages are echoes, duplicates or too old. A contract test holds every implementation,
 * yours included, to this text.
 *
 * One backplane may serve several time sockets of one application. It belongs to that
 * application: the plugin calls `close()` when the last of them closes.
 */
export interface Backplane {
  /**
   * Hands a message on to all who have subscribed, on every server.
   *
   * The bytes stay as they are: neither side changes them. It MUST keep the order of the calls:
   * a message MUST NOT overtake an earlier one. It MUST NOT hold up the caller: whatever takes
   * time happens later. What is kept for an engine that is away MUST have a bound.
   *
   * @returns when the engine has it. It MUST settle in bounded time, also while the engine is away
   * or hangs, and MUST reject where the message is given up, or may have been; with a
   * `BackplaneClosedError` after `close()`.
   */
  publish (payload: Uint8Array): Promise<void>
  /**
   * Starts delivery. Resolves once the engine has confirmed it, not before: whatever is published
   * anywhere after that MUST reach `deliver`, and nobody should have to wait "a little". It MAY
   * wait for an engine that is away, and MAY reject: it is then called again.
   *
   * Each `deliver` MUST get the messages of one publisher in the order in which they were
   * published. After an interruption delivery MUST go on by itself, SHOULD go on where it stopped,
   * and MAY repeat. What a `deliver` does MUST NOT harm another.
   *
   * @param onError MUST be called for each failure that may cost or delay messages, and MUST NOT
   * be called in a busy loop.
   * @returns a function that ends this subscription, and only this one: nothing is delivered
   * after it has been called. It MUST resolve in bounded time, and may be called again.
   */
  subscribe (deliver: Deliver, onError: (err: unknown) => void): Promise<() => Promise<void>>
  /**
   * Ends all subscriptions and gives up what has not been sent. It MUST resolve in bounded time,
   * also while the engine is away, MUST leave nothing behind that keeps the process alive, MUST
   * NOT close what it was given, such as a client, and may be called again.
   */
  close (): Promise<void>
}
