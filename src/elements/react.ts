import type { DetailedHTMLProps, HTMLAttributes } from 'react'
import type { ServerClock } from '../browser/index.js'
import type {
  CountdownFormat, DateTimeStyle, HourCycle, ServerCountdownElement, ServerTimeElement, Transport
} from './index.js'
import './index.js'

/**
 * The props of both elements. React assigns a prop as a property if the element has that property.
 */
interface TimeProps {
  src?: string | URL | undefined
  transport?: Transport | undefined
  digits?: 0 | 1 | 2 | 3 | undefined
  clock?: ServerClock | null | undefined
}

/** The props of `<server-time>`, besides those of every HTML element. */
export interface ServerTimeProps extends TimeProps {
  timeZone?: string | undefined
  dateStyle?: DateTimeStyle | undefined
  timeStyle?: DateTimeStyle | undefined
  hourCycle?: HourCycle | undefined
  'time-zone'?: string | undefined
  'date-style'?: DateTimeStyle | undefined
  'time-style'?: DateTimeStyle | undefined
  'hour-cycle'?: HourCycle | undefined
}

/** The props of `<server-countdown>`, besides those of every HTML element. */
export interface ServerCountdownProps extends TimeProps {
  to?: string | number | Date | undefined
  format?: CountdownFormat | undefined
  past?: boolean | undefined
  ondue?: ((event: Event) => void) | undefined
}

type Props<Target, Own> = DetailedHTMLProps<HTMLAttributes<Target>, Target> & Own

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'server-time': Props<ServerTimeElement, ServerTimeProps>
      'server-countdown': Props<ServerCountdownElement, ServerCountdownProps>
    }
  }
}
