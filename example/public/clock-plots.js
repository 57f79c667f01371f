/* global getComputedStyle, matchMedia, ResizeObserver */
import UPlot from './uplot/uPlot.esm.js'

/** The height of a plot in the style sheet. */
const HEIGHT = 192

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
      axes: [axis, { ...axis, size: 60, values: (_, values) => values.map((ms) => `${ms} ms`) }],
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
