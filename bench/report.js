import { quartiles } from './statistics.js'

/** What the others are compared with. */
const BASELINES = ['ws', 'net']

/**
 * The figures of one number of clients: for each contender the median and quartiles of each
 * sample, and of its ratios to the baselines, each taken within one round.
 *
 * @param {Map<object, import('./rounds.js').Samples>} samples by runner.
 */
export function summarise (samples) {
  const byName = new Map([...samples].map(([runner, taken]) => [runner.contender.name, taken]))
  return [...samples].map(([{ contender }, taken]) => ({
    name: contender.name,
    title: contender.title,
    figures: mapValues(taken, quartilesOf),
    ratios: Object.fromEntries(BASELINES.filter((name) => byName.has(name)).map((name) => [
      name, mapValues(taken, (values, sample) => ratiosOf(values, byName.get(name)[sample]))
    ])),
    samples: taken
  }))
}

function ratiosOf (values, others) {
  return quartilesOf(values.map((value, round) => value / others[round]))
}

/** Of the rounds that there were: lists have holes. */
function quartilesOf (values) {
  return quartiles(values.filter(Number.isFinite))
}

function mapValues (object, map) {
  const entries = Object.entries(object).map(([name, value]) => [name, map(value, name)])
  return Object.fromEntries(entries)
}
