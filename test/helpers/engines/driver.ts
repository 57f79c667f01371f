/** One page of a browser of its own, as each engine is driven. */
export interface Driver {
  /** Resolves when the page has loaded. */
  goto (url: string): Promise<void>
  /** Begins to go back in the page's history; what is there may not have loaded yet. */
  back (): Promise<void>
  /** Hides the page for good; in WebKit a new page that is hidden takes its place. */
  hide (): Promise<void>
  /** Evaluates an expression for a promise of a text. @throws when that rejects. */
  evaluate (expression: string): Promise<string>
  /** Errors and warnings of the page, in order; of WebKit none, whose console cannot be read. */
  readonly problems: readonly string[]
  /** The ids of all processes of the browser. */
  pids (): number[]
  /** Ends the browser. Idempotent. */
  close (): Promise<void>
}

/** What can be set before a browser starts. */
export interface DriverOptions {
  /** Firefox's preferences. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>
}
