/** Pixels. */
const WIDTH = 760
const LABEL_WIDTH = 230
const VALUE_WIDTH = 70
const HEAD_HEIGHT = 64
const FOOT_HEIGHT = 40
const BAR_HEIGHT = 16
const BAR_GAP = 3
const ROW_GAP = 12
/** How far the tip of a bar reaches that goes on beyond the scale. */
const TIP_WIDTH = 8

/** Ratios above are off the scale: one contender would squeeze all others to stubs. */
const MAX_RATIO = 2

/** The contender that is this package, and one that is only there to check the measurement. */
const OURS = 'ours'
const CONTROL = 'net-control'

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .note { font-size: 12px; fill: #59636e }
    .bar { fill: #8c959f }
    .ours { fill: #0969da }
    .whisker, .one { stroke: #1f2328; stroke-width: 1.5 }
    .one { stroke-dasharray: 3 3; opacity: .5 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .note { fill: #9198a1 }
      .bar { fill: #656c76 }
      .ours { fill: #4493f8 }
      .whisker, .one { stroke: #f0f6fc }
    }`

/**
 * CPU of each delivered message in that of the ws loop, as an SVG image: a group of bars for each
 * contender, in it a bar for each number of clients.
 *
 * @param {object} report as `fan-out.js` writes it.
 * @throws {Error} if ws took no part.
 */
export function drawChart ({ results, machine }) {
  const groups = groupsOf(results)
  const counts = results.map(({ clientCount }) => clientCount.toLocaleString('en'))
  const bars = groups.flatMap(({ bars }) => bars)
  const maxRatio = Math.min(MAX_RATIO, Math.max(1, ...bars.map(({ q3 }) => q3)))
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / maxRatio
  const groupHeight = counts.length * (BAR_HEIGHT + BAR_GAP) + ROW_GAP
  const height = HEAD_HEIGHT + groups.length * groupHeight + FOOT_HEIGHT
  const oneX = round(LABEL_WIDTH + scale)
  const title = 'Server CPU for each delivered message'
  const order = counts.length > 1 ? ' (from above)' : ''
  const scope = `ws loop = 1, less is better; ${counts.join(', ')} clients${order}, 40 bytes of text`

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" \
width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc">
  <title id="title">${title}</title>
  <desc id="desc">${escape(`${scope}. ${groups.map(describe).join('; ')}.`)}</desc>
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="20">${title}</text>
  <text class="note" x="0" y="40">${scope}; lines: quartiles; tips: off the scale</text>
${groups.map((group, index) => {
  return drawGroup(group, HEAD_HEIGHT + index * groupHeight, scale)
}).join('\n')}
  <line class="one" x1="${oneX}" x2="${oneX}" y1="${HEAD_HEIGHT - 6}" y2="${height - FOOT_HEIGHT}"/>
  <text class="note" x="0" y="${height - 12}">Node.js ${machine.node}, ${machine.cores} cores, \
loopback: the sender also pays for the receiver’s half of TCP</text>
</svg>
`
}

/** The contenders, cheapest first. */
function groupsOf (results) {
  const { contenders } = results.at(-1)
  const groups = contenders.filter(({ name }) => name !== CONTROL).map(({ name, title }) => ({
    name,
    title,
    bars: results.map(({ contenders }) => {
      const { ratios } = contenders.find((contender) => contender.name === name)
      if (ratios.ws === undefined) throw new Error('the chart needs ws, which --only left out')
      return ratios.ws.cpu
    })
  }))
  return groups.sort((a, b) => a.bars.at(-1).median - b.bars.at(-1).median)
}

function drawGroup ({ name, title, bars }, top, scale) {
  const height = bars.length * (BAR_HEIGHT + BAR_GAP) - BAR_GAP
  const label = `  <text x="${LABEL_WIDTH - 10}" y="${top + height / 2 + 4.5}" \
text-anchor="end">${escape(title)}</text>`
  const drawn = bars.map((bar, index) => {
    return drawBar(bar, name === OURS ? 'bar ours' : 'bar', {
      top: top + index * (BAR_HEIGHT + BAR_GAP), scale
    })
  })
  return [label, ...drawn].join('\n')
}

function drawBar ({ median, q1, q3 }, style, { top, scale }) {
  if (q3 > MAX_RATIO) return drawEndless(median, style, { top, scale })
  const [q1X, q3X] = [q1, q3].map((value) => round(LABEL_WIDTH + value * scale))
  const middle = top + BAR_HEIGHT / 2
  return `  <rect class="${style}" x="${LABEL_WIDTH}" y="${top}" \
width="${round(median * scale)}" height="${BAR_HEIGHT}"/>
  <line class="whisker" x1="${q1X}" x2="${q3X}" y1="${middle}" y2="${middle}"/>
${drawValue(median, middle)}`
}

/** A bar with a tip: it goes on beyond the scale. */
function drawEndless (median, style, { top, scale }) {
  const [endX, middle] = [round(LABEL_WIDTH + MAX_RATIO * scale), top + BAR_HEIGHT / 2]
  const tip = `L${endX + TIP_WIDTH} ${middle}L${endX} ${top + BAR_HEIGHT}`
  return `  <path class="${style}" d="M${LABEL_WIDTH} ${top}H${endX}${tip}H${LABEL_WIDTH}z"/>
${drawValue(median, middle)}`
}

/** At the right edge, where no line crosses it. */
function drawValue (value, middle) {
  return `  <text x="${WIDTH}" y="${middle + 4.5}" text-anchor="end">${value.toFixed(2)}</text>`
}

function describe ({ title, bars }) {
  return `${title}: ${bars.map(({ median }) => median.toFixed(2)).join(', ')}`
}

function round (pixels) {
  return Math.round(pixels * 10) / 10
}

function escape (text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
