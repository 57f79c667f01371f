import { ServerClock } from './time/client.js'
import './time/elements.js'
import { createPlot } from './clock-plots.js'
import { formatBound, formatOffset } from './auction-format.js'

const [main] = document.getElementsByTagName('main')
const [statusP, cutB, openB, switchB, boundP, timeT, minuteC, corridorF, roundTripsF, deviceF] = [
  'Status', 'CutB', 'OpenB', 'SwitchB', 'Bound', 'Time', 'Minute', 'CorridorText', 'RoundTripsText', 'DeviceText'
].map((id) => document.getElementById(id))

const SAMPLE_MS = 500
/** How far back the plots go. */
const HISTORY_S = 180
const MINUTE_MS = 60_000

const showCorridor = plot('Corridor', ['--accent', '--accent', '--good'], { band: true })
const showRoundTrips = plot('RoundTrips', ['--accent'], { points: true })
const showDevice = plot('Device', ['--accent'])

let clock
/** What the clock knew: `{ atS, offset, error }` in ms, NaN for what it did not know. */
let samples = []
/** The answers of the server: `{ atS, rtt }`. */
let answers = []
/** Why the server does not let the page in: `{ status, retryAtMs }`. */
let refusal
let retryAtMs

use('auto')
cutB.addEventListener('click', () => clock.close())
openB.addEventListener('click', () => clock.open())
switchB.addEventListener('click', () => use(isHttp() ? 'auto' : 'http'))
minuteC.addEventListener('due', startMinute)
setInterval(sample, SAMPLE_MS)

/** Starts over with another clock, which both elements show. */
function use (transport) {
  clock?.close()
  clock = new ServerClock(undefined, { transport })
  clock.wanted = transport
  samples = []
  answers = []
  refusal = undefined
  clock.addEventListener('open', () => { refusal = undefined })
  clock.addEventListener('close', ({ detail }) => {
    refusal = undefined
    retryAtMs = performance.now() + (detail.retryIn ?? Infinity)
  })
  clock.addEventListener('refused', ({ detail }) => { refusal = detail })
  clock.addEventListener('sync', () => answers.push({ atS: clock.now() / 1000, rtt: clock.rtt }))
  for (const type of ['open', 'close', 'refused', 'sync', 'step']) {
    clock.addEventListener(type, showConnection)
  }
  timeT.clock = clock
  minuteC.clock = clock
  startMinute()
  showConnection()
}

function isHttp () {
  return clock.wanted === 'http'
}

/** Counts to the next full minute of the server's clock. */
function startMinute () {
  minuteC.to = (Math.floor(clock.now() / MINUTE_MS) + 1) * MINUTE_MS
}

function sample () {
  const atS = clock.now() / 1000
  const known = { atS, offset: clock.offset, error: clock.error }
  samples.push(clock.synced ? known : { atS, offset: NaN, error: NaN })
  const isRecent = (entry) => entry.atS > atS - HISTORY_S
  samples = samples.filter(isRecent)
  answers = answers.filter(isRecent)
  showConnection()
  // The minute has begun without the event `due` if the clock has jumped.
  if (Math.abs(minuteC.to - clock.now()) > MINUTE_MS) startMinute()
  showPlots()
}

function showPlots () {
  const times = samples.map(({ atS }) => atS)
  const known = samples.filter(({ error }) => error >= 0)
  const base = known[0]?.offset ?? 0
  const values = (of) => samples.map((entry) => entry.error >= 0 ? of(entry) : null)
  showCorridor([
    times,
    values(({ offset, error }) => offset - base + error),
    values(({ offset, error }) => offset - base - error),
    values(({ offset }) => offset - base)
  ])
  showRoundTrips([answers.map(({ atS }) => atS), answers.map(({ rtt }) => rtt)])
  showDevice([times, values(({ offset }) => -offset)])
  if (known.length > 0) describePlots(known)
}

function describePlots (known) {
  const errors = known.map(({ error }) => error)
  const roundTrips = answers.map(({ rtt }) => rtt)
  const { offset, error } = known.at(-1)
  const minutes = `in the last ${HISTORY_S / 60} minutes`
  const [now, least, most] = [error, Math.min(...errors), Math.max(...errors)].map((ms) => (
    `±\u00a0${ms.toFixed(1)}`
  ))
  show(corridorF, `${now} ms now, between ${least} and ${most}\u00a0ms ${minutes}.`)
  if (roundTrips.length > 0) {
    show(roundTripsF, `The latest of ${roundTrips.length} took ${roundTrips.at(-1).toFixed(1)} ms, ` +
      `the shortest ${Math.min(...roundTrips).toFixed(1)} ms, ` +
      `the longest ${Math.max(...roundTrips).toFixed(1)} ms ${minutes}.`)
  }
  show(deviceF, `${formatOffset(offset, error)}, compared with the server’s.`)
}

function showConnection () {
  const { state } = clock
  main.dataset.state = state
  main.toggleAttribute('data-synced', clock.synced)
  show(statusP, describeConnection(state))
  show(boundP, formatBound(clock.error))
  show(switchB, isHttp() ? 'Switch to a WebSocket' : 'Switch to HTTP')
  const focused = document.activeElement
  openB.disabled = state === 'connecting' || state === 'open'
  cutB.disabled = state === 'closed'
  // Or whoever uses the keyboard would start over at the top of the page.
  if (focused?.disabled) (openB.disabled ? cutB : openB).focus()
}

function describeConnection (state) {
  if (state === 'open') return isHttp() ? 'In step by HTTP' : 'In step by a WebSocket'
  if (state === 'closed') return 'Cut: the clock runs on, and its bound grows'
  if (refusal !== undefined) return describeRefusal()
  return state === 'connecting' ? 'Connecting…' : 'Not connected: trying again…'
}

function describeRefusal () {
  if (clock.state === 'refused') return `The server refuses this page: HTTP ${refusal.status}`
  const seconds = Math.max(1, Math.ceil((retryAtMs - performance.now()) / 1000))
  return `The server is full: trying again in ${seconds} s`
}

function plot (id, ...args) {
  return createPlot(document.getElementById(id), ...args)
}

/** Touches only what changes: who has selected it, or listens to it, is left in peace. */
function show (element, text) {
  if (element.textContent !== text) element.textContent = text
}
