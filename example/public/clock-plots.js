/* global getComputedStyle, matchMedia, ResizeObserver */
import { formatTime } from './auction-format.js'
import UPlot from './uplot/uPlot.esm.js'

/** The height of a plot in the style sheet. */
const HEIGHT = 192
/** The shortest span of time that a plot shows. */
const MIN_SPAN_S = 10
/** Times of day, in one row: uPlot's own labels have a second row, where dates may overlap. */
const TIME_AXIS = {
  size: 34,
  space: 64,
  incrs: [1, 2, 5, 10, 20, 30, 60, 120],
  values: (_, times) => times.map((atS) => formatTime(atS * 1000).seconds)
}

/**
 * Draws a plot over time that follows the width of its element and the colors of the page.
 *
 * @param lines the color of each line, as a custom property of the page.
 * @param band whether the area between the first two lines is filled.
 * @returns a function that shows other data: times in s, then the values of each line in ms.
 */
export function createPlot (element, lines, { band = false, points = false } = {}) {
  let data = [[], ...lines.map(() => [])]
  let plot = draw()

  new ResizeObserver(() => plot.setSize(size())).observe(element)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    plot.destroy()
    plot = draw()
  })

  function draw () {
    const color = (name) => getComputedStyle(element).getPropertyValue(name).trim()
    const axis = {
      stroke: color('--muted'), grid: { stroke: color('--message') }, ticks: { show: false }
    }
    return new UPlot({
      ...size(),
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { range: (_, minS, maxS) => [Math.min(minS, maxS - MIN_SPAN_S), maxS] } },
      axes: [
        { ...axis, ...TIME_AXIS },
        { ...axis, size: 60, values: (_, values) => values.map((ms) => `${ms} ms`) }
      ],
      series: [
        {},
        ...lines.map((name) => ({
          stroke: color(name),
          width: 2,
          paths: points ? () => null : undefined,
          points: { show: points }
        }))
      ],
      bands: band ? [{ series: [1, 2], fill: `${color(lines[0])}33` }] : []
    }, data, element)
  }

  function size () {
    return { width: element.clientWidth, height: HEIGHT }
  }

  return (next) => {
    data = next
    plot.setData(data)
  }
}
