import type { ServerClock, ServerClockOptions } from '../../../src/browser/index.js'
import type { TimeElement } from '../../../src/elements/index.js'

/** A clock that shows what it is set to. */
export interface StoppedClock extends ServerClock {
  set (nowMs: number): void
}

/** A clock of a page, with its events so far. */
export interface OpenedClock {
  readonly clock: ServerClock
  readonly events: readonly { readonly type: string, readonly detail: unknown }[]
}

export interface ClockToOpen {
  readonly name: string
  readonly url: string
  readonly options: ServerClockOptions
}

declare global {
  /** What `clock-page.js` and `element-page.js` give their pages. */
  interface Window {
    readonly isReady: boolean
    readonly clocks: Record<string, OpenedClock>
    openClock (toOpen: ClockToOpen): void
    answerJudge (names: { name: string, judgeUrl: string }): void
    readonly worker: Worker
    startWorker (toOpen: ClockToOpen & { judgeUrl: string }): void

    readonly reports: string[]
    readonly StoppedClock: new (nowMs: number) => StoppedClock
    loadElements (): Promise<unknown>
    addElement<Name extends 'server-time' | 'server-countdown'> (
      name: Name, attributes?: Record<string, string | number>, clock?: ServerClock
    ): HTMLElementTagNameMap[Name]
    textOf (element: TimeElement): string | undefined
    until (condition: () => boolean): Promise<void>
  }
}
