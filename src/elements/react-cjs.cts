import type * as entry from './react.js' with { 'resolution-mode': 'import' }

// The types of `require('fastify-time-socket/elements/react')`, which has no values.
declare const react: typeof entry

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace react {
  export type ServerCountdownProps = entry.ServerCountdownProps
  export type ServerTimeProps = entry.ServerTimeProps
}

export = react
