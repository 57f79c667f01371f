/* global location, WebSocket */
const main = document.querySelector('main')
const openB = document.getElementById('OpenB')
const closeB = document.getElementById('CloseB')
const statusP = document.getElementById('Status')
const detailsP = document.getElementById('Details')
const messageP = document.getElementById('Message')
const sendForm = document.getElementById('SendForm')
const textI = document.getElementById('Text')
const sendB = document.getElementById('SendB')
const timeTemplate = document.getElementById('TimeTemplate')

/** Why a connection was closed, by close code (RFC 6455 §7.4). */
const REASONS = new Map([
  [1000, 'the server has finished'],
  [1001, 'the server is shutting down'],
  [1006, 'the connection was lost'],
  [1008, 'the server does not accept what was sent'],
  [1009, 'the message was too long for the server'],
  [1011, 'something went wrong in the server'],
  [1012, 'the server is restarting'],
  [1013, 'the server is too busy']
])

/** A `Date` as text: `Sun Nov 22 2026` `15:00:05` `GMT+0000 (Coordinated Universal Time)`. */
const TIME = /^(\w{3} \w{3} \d{2} \d{4}) (\d{2}:\d{2}:\d{2}) (.+)$/

/** The folder of this page, which a proxy may have put below a prefix. */
const url = new URL('.', location.href)
url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'

let ws = null
let hasOpened = false
let closedByUser = false

openB.addEventListener('click', openSocket)
closeB.addEventListener('click', closeSocket)
sendForm.addEventListener('submit', sendText)
showState('closed', 'Closed')

function openSocket () {
  hasOpened = false
  closedByUser = false
  ws = new WebSocket(url)
  ws.addEventListener('open', sockOpen)
  ws.addEventListener('message', sockMessage)
  ws.addEventListener('close', sockClose)
  showState('connecting', 'Connecting…')
}

function closeSocket () {
  closedByUser = true
  ws.close()
  showState('closing', 'Closing…')
}

function sendText (event) {
  event.preventDefault()
  ws.send(textI.value)
  sendForm.reset()
}

function sockOpen () {
  hasOpened = true
  showState('open', 'Open')
}

function sockMessage ({ data }) {
  showMessage(data)
  messageP.classList.toggle('highlight')
}

function sockClose ({ target, code, reason }) {
  // Open may have been pressed while the last socket was still closing.
  if (target !== ws) return
  if (closedByUser) showState('closed', 'Closed')
  else if (hasOpened) showLost(code, reason)
  else showState('lost', 'Could not connect: is the server running?')
}

function showLost (code, reason) {
  const why = REASONS.get(code) ?? 'the server ended the connection'
  const details = reason === '' ? `Code ${code}` : `Code ${code}, “${reason}”`
  showState('lost', `Closed: ${why}`, details)
}

function showState (state, text, details = url.href) {
  main.dataset.state = state
  statusP.textContent = text
  detailsP.textContent = details
  const focused = document.activeElement
  openB.disabled = state === 'connecting' || state === 'open'
  closeB.disabled = !openB.disabled
  sendB.disabled = state !== 'open'
  // Or whoever uses the keyboard would start over at the top of the page.
  if (focused.disabled) (openB.disabled ? closeB : openB).focus()
}

function showMessage (text) {
  const parts = TIME.exec(text)
  const date = new Date(text)
  if (parts === null || isNaN(date)) messageP.textContent = text
  else showTime(date, parts.slice(1))
}

/** Touches only what has changed: a screen reader says `15:00:10`, not all of it again. */
function showTime (date, parts) {
  if (messageP.firstElementChild === null) {
    messageP.replaceChildren(timeTemplate.content.firstElementChild.cloneNode(true))
  }
  const time = messageP.firstElementChild
  time.dateTime = date.toISOString()
  parts.forEach((part, i) => {
    if (time.children[i].textContent !== part) time.children[i].textContent = part
  })
}
