import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { WebSocketServer } from 'ws'
import { LENGTH, MARK } from '../message.js'

/**
 * The lecture's time server: express and ws, and for each client a `setInterval` that reads the
 * clock, makes it text and sends it.
 *
 * Changed so that it can be compared, each time in its favour or to no effect:
 * - its log line for each message is left out;
 * - it sends every second rather than every five: the nearer its timers lie, the more of them
 *   share the cost of waking up;
 * - an interval sends only while a fan-out runs, once for each: the others must not hear it;
 * - the text is cut to the length of everybody's;
 * - intervals start at random within `intervalMs` of the connection: here all clients come in
 *   the same second, in the world at any time.
 */
export async function start ({ host, intervalMs }) {
  const server = createServer(express())
  const wss = new WebSocketServer({ clientTracking: true, noServer: true })
  const timerMap = new Map()
  let current = 0

  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
  })
  wss.on('connection', async (ws) => {
    ws.send('Hi from Time Server!')
    ws.on('message', () => ws.send('Got your message'))
    ws.on('close', () => {
      clearInterval(timerMap.get(ws))
      timerMap.delete(ws)
    })
    await wait(Math.random() * intervalMs)
    if (ws.readyState === ws.OPEN) timerMap.set(ws, setInterval(tell, intervalMs, ws))
  })

  function tell (ws) {
    if (current === 0 || ws.seq === current) return
    ws.seq = current
    ws.send(`${MARK}${current} ${new Date()}`.slice(0, LENGTH))
  }

  server.listen(0, host)
  await once(server, 'listening')
  return {
    port: server.address().port,
    path: '/',
    fanOut (seq) {
      current = seq
    },
    count: () => wss.clients.size
  }
}
