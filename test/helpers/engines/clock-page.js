/* global postMessage, WebSocket, Worker */
import { ServerClock } from '/time/client.js'

/** A page, or a worker, whose clocks a test opens: `clocks` has each with its events so far. */
globalThis.clocks = {}

globalThis.openClock = ({ name, url, options }) => {
  const clock = new ServerClock(url, options)
  const events = []
  for (const type of ['open', 'close', 'step', 'refused']) {
    clock.addEventListener(type, ({ detail }) => events.push({ type, detail }))
  }
  globalThis.clocks[name] = { clock, events }
}

/** Tells the judge the time whenever it asks, once the clock is synced. */
globalThis.answerJudge = async ({ name, judgeUrl }) => {
  const { clock } = globalThis.clocks[name]
  await clock.ready()
  const socket = new WebSocket(judgeUrl)
  socket.onmessage = () => socket.send(JSON.stringify([clock.now(), clock.error]))
}

/** Opens a clock in a worker, which answers the judge. */
globalThis.startWorker = (message) => {
  globalThis.worker = new Worker('/clock-page.js', { type: 'module' })
  globalThis.worker.onmessage = () => globalThis.worker.postMessage(message)
}

globalThis.onmessage = ({ data }) => {
  if (typeof data !== 'object' || data === null || data.judgeUrl === undefined) return
  globalThis.openClock(data)
  globalThis.answerJudge(data)
}

if (!globalThis.document) postMessage('ready')
globalThis.isReady = true
