import { test } from 'tap'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { outputOf } from '../../helpers/programs/program.js'
import { PYTHON, requirePython } from '../../helpers/programs/python.js'
import { waitFor } from '../../helpers/network/wait.js'
import { pathOf } from '../../helpers/root.js'

const PEER = pathOf('test/fixtures/python/peer.py')

test('on a real port, the Python library websockets works as a client', await requirePython('websockets'), async (t) => {
  const ends: unknown[] = []
  const { app } = await createTimeApp(t, {
    interval: 100,
    protocols: ['lecture.v2'],
    format: ({ at }) => `tick ${at}`,
    onMessage (client, data) {
      if (data === 'bye') client.close(4000, 'grüß dich')
      else client.send(data)
    },
    onClose (_client, { code, reason, cause }) {
      ends.push({ code, reason, cause })
    }
  })
  const output = await outputOf(PYTHON, [PEER, `ws://127.0.0.1:${await listen(app)}/time`])
  const { ticks, ...told } = JSON.parse(output)
  t.match(ticks, [/^tick \d+/, /^tick \d+/])
  t.strictSame(told, {
    extensions: [],
    subprotocol: null,
    text: 'grüß dich 🕰',
    binary: { hex: '00ff' },
    fragments: 'grüß dich 🕰',
    'binary fragments': { hex: '00ff' },
    largest: true,
    'answer to our close': 4001,
    bye: [4000, 'grüß dich'],
    'too large': [1009, 'message too large'],
    'too large in fragments': [1009, 'message too large'],
    agreed: 'lecture.v2',
    refused: 400
  })
  await waitFor(() => ends.length === 5, 'the end of five connections')
  t.match(ends[0], { code: 4001, reason: 'tschüß', cause: 'client' })
  t.strictSame(ends.map((end) => (end as { cause: string }).cause),
    ['client', 'application', 'size', 'size', 'client'])
})
