/**
 * A program: many clients that do as they should, in a process of their own. Its settings are
 * its argument, as JSON.
 */
import { once } from 'node:events'
import WebSocket from 'ws'
import type { CrowdReport, CrowdSettings } from './crowd-process.js'

/** Connections that are opened at a time. */
const BATCH = 50

const { port, count, protocols = [] } = JSON.parse(String(process.argv[2])) as CrowdSettings
/** What they have been sent, and how many each. */
const received = new Map<string, number>()
const closes: Record<string, number> = {}
let open = 0

for (let opened = 0; opened < count; opened += BATCH) {
  await Promise.all(Array.from({ length: Math.min(BATCH, count - opened) }, connect))
}
received.clear()
process.on('message', () => process.send?.(report()))
process.on('disconnect', () => process.exit())
process.send?.('connected')

async function connect (): Promise<void> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/time`, [...protocols])
  ws.on('message', (data) => {
    received.set(String(data), (received.get(String(data)) ?? 0) + 1)
  })
  ws.on('error', () => {})
  await once(ws, 'open')
  open++
  ws.on('close', (code) => {
    open--
    closes[code] = (closes[code] ?? 0) + 1
  })
}

function report (): CrowdReport {
  return { open, closes, received: [...received] }
}
