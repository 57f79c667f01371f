const END_OF_HEAD = '\r\n\r\n'
const NAMES: Record<number, string> = { 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' }

/**
 * The frames that follow the head of an answer, as `pong payload`, `close 1000 reason`: RFC 6455
 * §5.2, as a server must write them: whole, without a mask or reserved bits.
 */
export function readFrames (bytes: Buffer): string[] {
  const end = bytes.indexOf(END_OF_HEAD)
  const frames: string[] = []
  if (end < 0) return frames
  let rest = bytes.subarray(end + END_OF_HEAD.length)
  while (rest.length >= 2) {
    const { 0: first = 0, 1: short = 0 } = rest
    const start = short === 126 ? 4 : 2
    if (rest.length < start) break
    const length = start === 4 ? rest.readUInt16BE(2) : short
    if (rest.length < start + length) break
    frames.push(describe(first, short, rest.subarray(start, start + length)))
    rest = rest.subarray(start + length)
  }
  return frames
}

function describe (first: number, short: number, payload: Buffer): string {
  const name = NAMES[first & 0x0f]
  if (name === undefined || (first & 0xf0) !== 0x80 || short > 126) return `bad ${first} ${short}`
  if (name !== 'close') return `${name} ${payload.toString('latin1')}`.trim()
  const code = payload.length === 0 ? 1005 : payload.readUInt16BE()
  return `${name} ${code} ${payload.subarray(2)}`.trim()
}
