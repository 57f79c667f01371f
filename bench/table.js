/** Columns about fan-outs: heading, and what a summary of `report.js` says there. */
const FAN_OUT = [
  ['CPU µs/message', ({ figures }) => number(figures.cpu, 2)],
  ['to ws [quartiles]', ({ ratios }) => ratio(ratios.ws?.cpu)],
  ['to net [quartiles]', ({ ratios }) => ratio(ratios.net?.cpu)],
  ['last client ms', ({ figures }) => number(figures.last, 1)],
  ['stall ms', ({ figures }) => number(figures.stall, 1)],
  ['load CPU', ({ figures }) => percent(figures.loadCpu)],
  ['load idle', ({ figures }) => percent(figures.loadIdle)]
]
/** Columns about connections. */
const CONNECTIONS = [
  ['heap B/client', ({ figures }) => number(figures.heap, 0)],
  ['to ws', ({ ratios }) => number(ratios.ws?.heap, 2)],
  ['RSS B/client', ({ figures }) => number(figures.rss, 0)],
  ['CPU µs/handshake', ({ figures }) => number(figures.handshake, 0)],
  ['to ws [quartiles]', ({ ratios }) => ratio(ratios.ws?.handshake)],
  ['handshakes/s', ({ figures }) => number(figures.accepted, 0)]
]

/** Summaries of one number of clients as two tables of text. */
export function formatTables (summaries) {
  return [FAN_OUT, CONNECTIONS].map((columns) => formatTable(columns, summaries)).join('\n\n')
}

function formatTable (columns, summaries) {
  const rows = [
    ['', ...columns.map(([heading]) => heading)],
    ...summaries.map((summary) => [summary.title, ...columns.map(([, show]) => show(summary))])
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) => formatRow(row, widths)).join('\n')
}

function formatRow ([title, ...cells], [titleWidth, ...widths]) {
  const padded = cells.map((cell, column) => cell.padStart(widths[column]))
  return [title.padEnd(titleWidth), ...padded].join('  ').trimEnd()
}

function ratio (value) {
  if (value === undefined) return '–'
  const [median, q1, q3] = [value.median, value.q1, value.q3].map((part) => part.toFixed(2))
  return `${median} [${q1}–${q3}]`
}

function number (value, digits) {
  return value === undefined ? '–' : value.median.toFixed(digits)
}

function percent (value) {
  return value === undefined ? '–' : `${Math.round(value.median * 100)} %`
}
