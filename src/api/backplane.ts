/**
 * Receives a payload that a server has published: the same bytes. A backplane may also pass a
 * payload of this server, a payload twice, or bytes that are not a message.
 */
export type Deliver = (payload: Uint8Array) => void

/**
 * Carries broadcasts between servers as opaque bytes. The plugin decides what the bytes mean, and
 * which messages are echoes, duplicates or too old. A contract test checks every implementation,
 * yours included, against this text.
 *
 * One backplane may serve several time sockets of one application. A backplane belongs to one
 * application: the plugin calls `close()` when the last of these time sockets closes.
 */
export interface Backplane {
  /**
   * Passes a message to all subscribers on every server.
   *
   * Neither side changes the bytes. Messages MUST keep the order of the calls: a message MUST NOT
   * overtake an earlier one. The call MUST NOT block the caller: anything that takes time happens
   * later. The number of bytes kept while the engine is unreachable MUST be bounded.
   *
   * @returns a promise that resolves when the engine has the message. The promise MUST settle in
   * bounded time, even while the engine is unreachable or hangs. It MUST reject if the message is
   * dropped, or may have been, and with a `BackplaneClosedError` after `close()`.
   */
  publish (payload: Uint8Array): Promise<void>
  /**
   * Starts delivery. Resolves once the engine has confirmed the subscription, not before:
   * everything published anywhere after that MUST reach `deliver`, so that no caller has to wait
   * "a little". The call MAY wait for an engine that is unreachable, and MAY reject; the plugin
   * then calls it again.
   *
   * Each `deliver` MUST get the messages of one publisher in the order in which they were
   * published. After an interruption, delivery MUST resume by itself, SHOULD resume where it
   * stopped, and MAY repeat messages. If a `deliver` throws, the error MUST be passed to the
   * `onError` of that subscription, and MUST NOT affect another.
   *
   * @param onError MUST be called for each failure that may lose or delay messages. MUST NOT be
   * called in a busy loop.
   * @returns a function that ends this subscription, and only this one: nothing is delivered after
   * the call. The returned promise MUST resolve in bounded time. The function may be called again.
   */
  subscribe (deliver: Deliver, onError: (err: unknown) => void): Promise<() => Promise<void>>
  /**
   * Ends all subscriptions and drops everything that has not been sent. MUST resolve in bounded
   * time, even while the engine is unreachable. MUST leave nothing behind that keeps the process
   * alive. MUST NOT close what the application has passed in, such as a client. May be called
   * again.
   */
  close (): Promise<void>
}
