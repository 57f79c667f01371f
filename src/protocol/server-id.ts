import { randomInt } from 'node:crypto'

/** Names this process, at random, in eight letters and digits. */
export const SERVER_ID = randomInt(36 ** 8).toString(36).padStart(8, '0')
