/* global addEventListener, matchMedia, navigator, sessionStorage */
import { ServerClock } from './auction/time/client.js'
import { createName, formatBound, formatCountdown, formatOffset, formatTime } from './auction-format.js'

const [main] = document.getElementsByTagName('main')
const [statusP, retryB, secondsS, tenthsS, boundP, deviceD, roundTripD] = [
  'Status', 'RetryB', 'Seconds', 'Tenths', 'Bound', 'Device', 'RoundTrip'
].map((id) => document.getElementById(id))
const auction = document.querySelector('.auction')
const [lotH, amountS, leaderS, leftS, extendedS, bar, newsP, bidForm, nameI, bidI, bidB] = [
  'Lot', 'Amount', 'Leader', 'Left', 'Extended', 'Bar', 'News', 'BidForm', 'Name', 'Bid', 'BidB'
].map((id) => document.getElementById(id))

const USUAL_RAISE = 10
const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)')

/** What the server has told last. */
let round
/** The end at which the hammer has fallen here. */
let fallenAt
/** Our own latest bid: it leads if it is the highest, for no two are the same. */
let mine = {}
/** Whether somebody has typed an amount that has not been bid yet. */
let isTyped = false
let hasOpened = false
/** The HTTP status with which the server refuses this page, while it does. */
let refusedStatus
/** When the clock connects again, by `performance.now()`. */
let retryAtMs

const clock = new ServerClock()
clock.addEventListener('message', ({ detail }) => {
  if (detail.round) showRound(detail.round)
  else if (detail.hammer) fall(detail.hammer)
  else if (detail.refused) refuse(detail.refused)
})
clock.addEventListener('open', () => {
  hasOpened = true
  refusedStatus = undefined
  showConnection()
})
clock.addEventListener('close', ({ detail }) => {
  refusedStatus = undefined
  retryAtMs = performance.now() + detail.retryIn
  showConnection()
})
clock.addEventListener('refused', ({ detail }) => {
  refusedStatus = detail.status
  showConnection()
})
for (const type of ['sync', 'step']) clock.addEventListener(type, showConnection)
for (const type of ['online', 'offline']) addEventListener(type, showConnection)
// Each at the same instants on every page, by the server's clock.
clock.every(100, showTime)
clock.every(1000, showConnection)

retryB.addEventListener('click', () => clock.open())
bidForm.addEventListener('submit', bid)
bidI.addEventListener('input', () => { isTyped = true })
nameI.pattern = '[\\p{L}\\p{N}]+([ .\'’\\-]?[\\p{L}\\p{M}\\p{N}])*'
nameI.value = sessionStorage.getItem('name') ?? createName()
nameI.addEventListener('change', () => sessionStorage.setItem('name', nameI.value))

function showTime () {
  const nowMs = clock.now()
  const { seconds, tenths } = formatTime(nowMs)
  show(secondsS, seconds)
  show(tenthsS, reducedMotion.matches ? '' : tenths)
  if (round !== undefined) showLeft(nowMs)
}

function showLeft (nowMs) {
  const leftMs = isOver() ? 0 : Math.max(0, round.endsAt - nowMs)
  const isLast = leftMs <= round.lastMs
  const phase = isOver() ? 'over' : isLast ? 'last' : 'open'
  show(leftS, formatCountdown(leftMs, isLast && !reducedMotion.matches))
  bar.style.setProperty('--part', Math.min(1, leftMs / (round.endsAt - round.id)).toFixed(3))
  if (phase === 'last' && auction.dataset.phase === 'open') {
    tell('Last chance: a bid now adds time')
  }
  auction.dataset.phase = phase
}

function showConnection () {
  const { state } = clock
  main.dataset.state = state
  main.toggleAttribute('data-synced', clock.synced)
  show(statusP, describeConnection(state))
  retryB.hidden = state === 'open' || state === 'connecting'
  show(boundP, formatBound(clock.error))
  show(deviceD, clock.synced ? formatOffset(clock.offset, clock.error) : 'Not known yet')
  show(roundTripD, clock.rtt === undefined ? 'Not known yet' : `${clock.rtt.toFixed(1)} ms`)
  bidB.setAttribute('aria-disabled', String(whyNot() !== undefined))
}

function describeConnection (state) {
  if (state === 'open') return 'Connected'
  if (state === 'refused') return `The server refuses this page: HTTP ${refusedStatus}`
  if (refusedStatus === 429 || refusedStatus === 503) return describeFullness()
  if (!navigator.onLine) return 'Offline: will connect when the network is back'
  return hasOpened ? 'Connection lost: trying again…' : 'Connecting…'
}

/** The clock waits as long as the server has asked for. */
function describeFullness () {
  const seconds = Math.max(1, Math.ceil((retryAtMs - performance.now()) / 1000))
  const reason = refusedStatus === 429 ? 'too many pages from your address' : 'no place is free'
  return `The auction is full, ${reason}: trying again in ${seconds} s`
}

/** What everybody is told: at the beginning, after each bid, and once the server has closed it. */
function showRound (next) {
  const isNew = next.id !== round?.id
  const isRaised = !isNew && next.amount > round.amount
  if (isNew) isTyped = false
  round = next
  show(lotH, round.lot)
  show(amountS, round.amount === 0 ? 'None' : `€\u00a0${round.amount}`)
  show(leaderS, round.amount === 0 ? '' : isMine() ? `${round.leader}: you` : round.leader)
  show(extendedS, describeExtensions(round.extensions))
  if (!isTyped) bidI.value = round.amount + USUAL_RAISE
  if (isOver()) tell(describeEnd())
  else if (isRaised) tell(`${isMine() ? 'You lead' : `${round.leader} leads`} with € ${round.amount}`)
  else if (isNew) tell(`On sale: ${round.lot}`)
  showTime()
  showConnection()
}

/** The one instant: every page gets the message long before, and is called at that time. */
function fall (endsAt) {
  fallenAt = endsAt
  if (round === undefined) return
  tell(describeEnd())
  showTime()
  showConnection()
}

function describeExtensions (count) {
  if (count === 0) return ''
  return count === 1 ? 'Extended once' : `Extended ${count} times`
}

function describeEnd () {
  if (round.amount === 0) return 'The hammer has fallen: nobody wanted it'
  return `Sold to ${isMine() ? 'you' : round.leader} for € ${round.amount}`
}

function bid (event) {
  event.preventDefault()
  const reason = whyNot()
  if (reason !== undefined) return tell(reason)
  mine = { round: round.id, amount: Number(bidI.value), name: nameI.value }
  if (!clock.send(mine)) return tell('Not connected: nothing was bid')
  isTyped = false
}

function refuse (reason) {
  mine = {}
  tell(reason)
}

/** @returns why nothing can be bid now, or undefined. */
function whyNot () {
  if (clock.state !== 'open') return 'Not connected: nothing can be bid'
  if (round === undefined || isOver()) return 'Wait for the next lot'
}

/** The server decides, but the hammer falls here without asking it. */
function isOver () {
  return round.isOver || round.endsAt === fallenAt
}

function isMine () {
  return mine.round === round.id && mine.amount === round.amount && mine.name === round.leader
}

/** Says something once; a screen reader reads it out. */
function tell (text) {
  show(newsP, text)
}

/** Touches only what changes: who has selected it, or listens to it, is left in peace. */
function show (element, text) {
  if (element.textContent !== text) element.textContent = text
}
