import type { ServerClock } from '../browser/index.js'

/** How a clock syncs with the server, as in the option `transport` of `ServerClock`. */
export type Transport = 'auto' | 'http' | 'websocket'

/** Creates a clock that connects at once. */
export type CreateClock = (url: string, transport: Transport) => ServerClock

/** Repaints one element, and calls `wakeAt` with the time of its next change. */
export type Painter = () => void

/** A clock with the elements that show its time: one timer repaints all of them. */
export interface SharedClock {
  readonly clock: ServerClock
  /** True once the clock has been synced, even while its error is temporarily unknown. */
  readonly wasSynced: boolean
  /** Why the clock cannot sync; undefined while the clock is connected or connecting. */
  readonly trouble: 'offline' | 'refused' | undefined
  /** Calls the painter now, at the time that it has set with `wakeAt`, and on each clock event. */
  add (painter: Painter): void
  remove (painter: Painter): void
  /** @param serverTime when to call the painter; Infinity: only on a clock event. */
  wakeAt (painter: Painter, serverTime: number): void
}

/** The clocks of all elements of a page. */
export interface SharedClocks {
  /** The clock of this absolute URL and transport, shared by all elements with the same ones. */
  open (url: string, transport: Transport): SharedClock
  /** Wraps a clock that the page has created. The elements never close this clock. */
  wrap (clock: ServerClock): SharedClock
}

/** An element that is removed and inserted again within this time keeps its clock. */
const LINGER_MS = 1000
/** The longest delay of the timer, because clocks are slewed and devices sleep. */
const MAX_DELAY_MS = 1000
const CLOCK_EVENTS = ['sync', 'step', 'open', 'close', 'refused']
const PAGE_EVENTS = ['visibilitychange', 'pageshow']

export function createSharedClocks (createClock: CreateClock): SharedClocks {
  const opened = new Map<string, SharedClock>()
  const wrapped = new WeakMap<ServerClock, SharedClock>()

  return {
    open (url, transport) {
      const key = `${transport} ${url}`
      const known = opened.get(key)
      if (known !== undefined) return known
      const clock = createClock(url, transport)
      const shared = createSharedClock(clock, () => {
        opened.delete(key)
        clock.close()
      })
      opened.set(key, shared)
      return shared
    },
    wrap (clock) {
      const shared = wrapped.get(clock) ?? createSharedClock(clock, () => {})
      wrapped.set(clock, shared)
      return shared
    }
  }
}

/** @param onUnused called `LINGER_MS` after the last painter was removed. */
function createSharedClock (clock: ServerClock, onUnused: () => void): SharedClock {
  /** Each painter with the server time of its next change. */
  const painters = new Map<Painter, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let unusedTimer: ReturnType<typeof setTimeout> | undefined
  let isPainting = false
  let wasSynced = false
  let trouble: SharedClock['trouble']

  function start (): void {
    trouble = readTrouble(clock)
    listen('addEventListener')
  }

  function stop (): void {
    clearTimeout(timer)
    listen('removeEventListener')
    unusedTimer = setTimeout(onUnused, LINGER_MS)
  }

  function listen (method: 'addEventListener' | 'removeEventListener'): void {
    for (const name of CLOCK_EVENTS) clock[method](name, onClockEvent)
    for (const name of PAGE_EVENTS) globalThis[method](name, paintAll, true)
  }

  function onClockEvent ({ type }: Event): void {
    if (type === 'open') trouble = undefined
    if (type === 'close') trouble = 'offline'
    if (type === 'refused') trouble = type
    paintAll()
  }

  function paintAll (): void {
    paint(Infinity)
  }

  function paintDue (): void {
    paint(clock.now())
  }

  /** Calls every painter whose next change is at this server time or earlier. */
  function paint (untilMs: number): void {
    wasSynced ||= clock.synced
    isPainting = true
    for (const [painter, dueMs] of painters) if (dueMs <= untilMs) painter()
    isPainting = false
    setTimer()
  }

  function setTimer (): void {
    clearTimeout(timer)
    const dueMs = Math.min(...painters.values())
    if (dueMs === Infinity) return
    const delayMs = Math.ceil(clock.toMonotonic(dueMs) - clock.toMonotonic(clock.now()))
    timer = setTimeout(paintDue, Math.max(0, Math.min(delayMs, MAX_DELAY_MS)))
  }

  return {
    clock,
    get wasSynced () {
      return wasSynced
    },
    get trouble () {
      return trouble
    },
    add (painter) {
      clearTimeout(unusedTimer)
      if (painters.size === 0) start()
      painters.set(painter, Infinity)
      wasSynced ||= clock.synced
      painter()
    },
    remove (painter) {
      if (painters.delete(painter) && painters.size === 0) stop()
    },
    wakeAt (painter, serverTime) {
      painters.set(painter, serverTime)
      if (!isPainting) setTimer()
    }
  }
}

function readTrouble ({ state }: ServerClock): SharedClock['trouble'] {
  if (state === 'refused') return state
  return state === 'waiting' || state === 'closed' ? 'offline' : undefined
}
