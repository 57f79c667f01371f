import { createClock } from './clock-core.js'
import { ClockEventTarget } from './clock-events.js'
import type { ClockMembers } from './clock-members.js'
import type { ServerClockOptions, ServerClockUrl } from './clock-options.js'

/** The members of a `ServerClock`, which each has by itself: they need no `this`. */
export interface ServerClock extends ClockMembers {}

/**
 * The clock of a server with a time socket, and by how much it may be wrong. It connects at once,
 * and again whenever it has to, until `close()`. Its events are `ClockEvents`.
 */
export class ServerClock extends ClockEventTarget {
  /**
   * The URL of a clock that is given none: `/time`, and in the client that the plugin serves the
   * URL of the time socket which has served it.
   */
  static defaultUrl = '/time'

  /**
   * @param url of the time socket; a function is called for each connection. Default `defaultUrl`.
   * @throws without a `WebSocket`.
   */
  constructor (url: ServerClockUrl = new.target.defaultUrl, options: ServerClockOptions = {}) {
    super()
    const members = createClock(url, options, (name, detail) => {
      this.dispatchEvent(new CustomEvent(name, { detail }))
    })
    Object.defineProperties(this, Object.getOwnPropertyDescriptors(members))
    this.open()
  }
}
