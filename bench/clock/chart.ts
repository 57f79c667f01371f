import { LOOK_MS } from './measure.js'
import type { Trace } from './measure.js'

/** Pixels. */
const WIDTH = 760
const HEIGHT = 380
const LEFT = 64
const RIGHT = 28
const TOP = 64
const BOTTOM = 92
/** Each point is the worst of so long. */
const POINT_MS = 10_000
/** The ends of the scale, in milliseconds. */
const [LEAST_MS, MOST_MS] = [0.05, 2000]
const GRID_MS = [0.1, 1, 10, 100, 1000]

/** Who is drawn, and how: by their name as contenders. */
const LINES = [
  { name: 'ISO with milliseconds every 5 s', label: 'time as pushed', style: 'pushed' },
  { name: 'timesync, every 60 s', label: 'timesync', style: 'timesync' },
  { name: '@ircam/sync', label: '@ircam/sync', style: 'ircam' },
  { name: 'Kalman filter of Sendspin, every second', label: 'Kalman, 1 probe/s', style: 'kalman' },
  { name: 'this package', label: 'this package', style: 'ours' }
]

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .note { font-size: 12px; fill: #59636e }
    .grid { stroke: #d1d9e0 }
    .line { fill: none; stroke-width: 1.5; stroke: #59636e }
    .pushed { stroke-dasharray: 1 3 }
    .timesync { stroke-dasharray: 6 3 }
    .ircam { stroke: #9a6700 }
    .kalman { stroke: #8250df }
    .ours { stroke: #0969da; stroke-width: 2.5 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .note { fill: #9198a1 }
      .grid { stroke: #3d444d }
      .line { stroke: #9198a1 }
      .ircam { stroke: #d29922 }
      .kalman { stroke: #ab7df8 }
      .ours { stroke: #4493f8 }
    }`

/** How far the clocks are off over time, as an SVG image, on a logarithmic scale. */
export function drawClockChart (traces: ReadonlyMap<string, Trace>, minutes: number): string {
  const drawn = LINES.flatMap((line) => {
    const trace = traces.get(line.name)
    return trace ? [{ ...line, points: pointsOf(trace) }] : []
  })
  const endMs = minutes * 60_000
  const xOf = (ms: number) => LEFT + (WIDTH - LEFT - RIGHT) * ms / endMs
  const title = 'How far clocks are off while the line fills up'
  const scope = 'Milliseconds, the worst of each 10 s; up to 400 ms of queue now and then'
  const tickMinutes = Array.from({ length: 7 }, (_, index) => Math.round(minutes * index / 6))

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" \
width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title desc">
  <title id="title">${title}</title>
  <desc id="desc">${scope}. ${drawn.map(describe).join('; ')}.</desc>
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="20">${title}</text>
  <text class="note" x="0" y="40">${scope}</text>
${GRID_MS.map((ms) => `  <path class="grid" d="M${LEFT} ${yOf(ms)}H${WIDTH - RIGHT}"/>
  <text class="note" x="${LEFT - 8}" y="${yOf(ms) + 4}" text-anchor="end">${ms} ms</text>`).join('\n')}
${tickMinutes.map((minute) => `  <text class="note" x="${round(xOf(minute * 60_000))}" \
y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${minute} min</text>`).join('\n')}
${drawn.map(({ style, points }) => `  <path class="line ${style}" d="${pathOf(points, xOf)}"/>`).join('\n')}
${drawn.map(legend).join('\n')}
</svg>
`
}

function pointsOf ({ errors }: Trace): number[] {
  const perPoint = POINT_MS / LOOK_MS
  return Array.from({ length: Math.floor(errors.length / perPoint) }, (_, index) =>
    Math.max(...errors.subarray(index * perPoint, (index + 1) * perPoint)))
}

function pathOf (points: readonly number[], xOf: (ms: number) => number): string {
  return points.map((ms, index) =>
    `${index === 0 ? 'M' : 'L'}${round(xOf((index + 0.5) * POINT_MS))} ${yOf(ms)}`).join('')
}

function yOf (ms: number): number {
  const shownMs = Math.min(MOST_MS, Math.max(LEAST_MS, ms))
  const part = Math.log(shownMs / LEAST_MS) / Math.log(MOST_MS / LEAST_MS)
  return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * part)
}

/** Three in a row, below the chart. */
function legend ({ label, style }: typeof LINES[number], index: number): string {
  const x = LEFT + (index % 3) * 220
  const y = HEIGHT - 42 + Math.floor(index / 3) * 24
  return `  <path class="line ${style}" d="M${x} ${y - 4}h28"/>
  <text x="${x + 36}" y="${y}">${label}</text>`
}

function describe ({ label, points }: { label: string, points: readonly number[] }): string {
  const sorted = points.slice(6).sort((a, b) => a - b)
  return `${label}: ${round(sorted[Math.floor(sorted.length / 2)] ?? NaN)} ms usually, ` +
    `${round(sorted.at(-1) ?? NaN)} ms at worst after the first minute`
}

function round (value: number): number {
  return Math.round(value * 100) / 100
}
