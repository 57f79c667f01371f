/** What everybody may know of the auction: what a page shows. */
export interface Round {
  /** Names the round: when it began. All times are the server's, ms since the Unix epoch. */
  readonly id: number
  readonly lot: string
  /** The highest bid so far; 0 before the first. */
  readonly amount: number
  /** Who has made it; empty before the first. */
  readonly leader: string
  /** When the hammer falls, if nobody bids in the last moment. */
  readonly endsAt: number
  /** A bid within this many ms of `endsAt` moves the end to this many ms after the bid. */
  readonly lastMs: number
  /** How often that has happened. */
  readonly extensions: number
  readonly isOver: boolean
}

export interface RoundsOptions {
  /** How long a round lasts. Its last sixth is the last moment; the pause after it is as long. */
  roundMs: number
  /** The server's time. */
  now: () => number
  /** Calls back once, may be a little early. @returns a function that cancels it. */
  after: (delayMs: number, callback: () => void) => () => void
  /** Called when a round has changed. */
  onChange: (round: Round) => void
  /** Called when the end of a round is set or moved; it replaces the earlier end. */
  onEndMoved: (round: Round) => void
}

/** One auction after another, all judged on one clock: the server's. */
export interface Rounds {
  readonly current: Round
  /**
   * Judges what a bidder has sent, whatever it is, as of now.
   *
   * @returns why it is refused; undefined: it is the highest now.
   */
  bid (data: string | Buffer): string | undefined
  /** Ends the auctions. */
  stop (): void
}

const LOTS = [
  'A ship’s chronometer', 'A railway station clock', 'A brass sundial', 'An hourglass for 60 s',
  'A metronome, slightly fast', 'A tuning fork, 440 Hz'
]
/** Nobody raises by more, so that a single bid cannot end all bidding. */
const MAX_RAISE = 1000
/** A letter or digit, then more, single spaces and some punctuation: nothing invisible. */
const NAME = /^(?=.{1,20}$)[\p{L}\p{N}]+(?:[ .'’-]?[\p{L}\p{M}\p{N}])*$/u

export function createRounds (
  { roundMs, now, after, onChange, onEndMoved }: RoundsOptions
): Rounds {
  const lastMs = roundMs / 6
  let count = 0
  let cancel = () => {}
  let current: Round
  begin()

  function begin (): void {
    const id = Math.ceil(now())
    const lot = LOTS[count++ % LOTS.length] as string
    const endsAt = id + roundMs
    current = { id, lot, amount: 0, leader: '', endsAt, lastMs, extensions: 0, isOver: false }
    waitUntil(current.endsAt, end)
    onChange(current)
    onEndMoved(current)
  }

  function end (): void {
    current = { ...current, isOver: true }
    waitUntil(current.endsAt + lastMs, begin)
    onChange(current)
  }

  /** Looks at the clock again on waking: a timer may be early, and the clock may have stepped. */
  function waitUntil (dueMs: number, callback: () => void): void {
    cancel()
    cancel = after(Math.max(1, dueMs - now()), () => {
      if (now() < dueMs) waitUntil(dueMs, callback)
      else callback()
    })
  }

  function accept (amount: number, leader: string): void {
    const endsAt = Math.max(current.endsAt, Math.ceil(now() + lastMs))
    const isMoved = endsAt > current.endsAt
    const extensions = current.extensions + Number(isMoved)
    current = { ...current, amount, leader, endsAt, extensions }
    onChange(current)
    if (isMoved) {
      waitUntil(endsAt, end)
      onEndMoved(current)
    }
  }

  return {
    get current () {
      return current
    },
    bid (data) {
      const bid = readBid(data)
      if (bid === undefined) return 'That is not a bid'
      const { round, amount, name } = bid
      // The timer may be late; the clock decides.
      if (round !== current.id || now() >= current.endsAt) return 'Too late'
      const { amount: highest } = current
      if (amount <= highest) return `Too low: ${highest} is bid already`
      if (amount > highest + MAX_RAISE) return `Raise by ${MAX_RAISE} at most`
      accept(amount, name)
      return undefined
    },
    stop () {
      cancel()
    }
  }
}

/** @returns undefined for what is no `{ round, amount, name }` in JSON. */
function readBid (data: string | Buffer) {
  try {
    const { round, amount, name } = JSON.parse(String(data))
    const isBid = Number.isInteger(round) && Number.isInteger(amount) && amount > 0 &&
      typeof name === 'string' && NAME.test(name)
    return isBid ? { round, amount, name } : undefined
  } catch {
    return undefined
  }
}
