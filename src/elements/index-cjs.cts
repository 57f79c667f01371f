import type * as entry from './index.js' with { 'resolution-mode': 'import' }

// The types of `require('fastify-time-socket/elements')`. `dist/cjs/elements.cjs` has the values.
declare const elements: typeof entry

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace elements {
  export type CountdownFormat = entry.CountdownFormat
  export type DateTimeStyle = entry.DateTimeStyle
  export type HourCycle = entry.HourCycle
  export type ServerCountdownElement = entry.ServerCountdownElement
  export type ServerTimeElement = entry.ServerTimeElement
  export type TimeElement = entry.TimeElement
  export type Transport = entry.Transport
}

export = elements
