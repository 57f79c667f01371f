import { withoutUndefined } from '../../../src/util/values.js'
import { openRaw } from '../../helpers/network/raw.js'
import type { Handshake, HandshakeAnswer } from './handshake-case.js'

/** Asks on a connection of its own. @returns the answer, with its tokens in lower case. */
export async function runHandshake (
  port: number, { bytes }: Handshake
): Promise<HandshakeAnswer> {
  const peer = openRaw(port, bytes)
  try {
    await peer.answered
    return readAnswer(peer.text)
  } finally {
    peer.socket.destroy()
  }
}

function readAnswer (text: string): HandshakeAnswer {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1])
  const [head = ''] = text.split('\r\n\r\n')
  const headers = new Map(head.split('\r\n').slice(1).map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  const found = {
    accept: headers.get('sec-websocket-accept'),
    upgrade: headers.get('upgrade')?.toLowerCase(),
    // Of no interest where nothing is upgraded.
    connection: status === 101 ? headers.get('connection')?.toLowerCase() : undefined,
    protocol: headers.get('sec-websocket-protocol'),
    extensions: headers.get('sec-websocket-extensions'),
    version: headers.get('sec-websocket-version')
  }
  return { status, ...withoutUndefined(found) }
}
