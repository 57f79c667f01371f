import { test } from 'tap'
import { addBound, findEdge, findGap } from '../../../../src/browser/time/bounds.js'
import type { Bounds } from '../../../../src/browser/time/bounds.js'

test('keeps the tighter of the two closest bounds', async (t) => {
  const times = Array.from({ length: 50 }, (_, index) => 1000 * index)
  const add = (bounds: Bounds, [atMs, valueMs]: [number, number]) => addBound(bounds, atMs, valueMs)

  const full = times.slice(0, 48).map((atMs): [number, number] => [atMs, 5])
  const looser: [number, number] = [10_001, 6]
  const tighter: [number, number] = [10_001, 4]
  const before = full.slice(0, 10)
  const after = full.slice(11)
  t.strictSame([...before, [10_000, 5] as [number, number], looser, ...after].reduce(add, []), full)
  t.strictSame([...before, [10_000, 5] as [number, number], tighter, ...after].reduce(add, []),
    [...before, tighter, ...after])
})

test('older bounds become sparser', async (t) => {
  let bounds: Bounds = []
  for (let atMs = 0; atMs < 1_000_000; atMs += 1000) bounds = addBound(bounds, atMs, 1)
  const ages = bounds.map(([at]) => 999_000 - at)
  t.equal(ages.length, 48)
  const count = (fromMs: number, toMs: number) =>
    ages.filter((age) => age >= fromMs && age < toMs).length
  t.ok(count(0, 10_000) > 8, `${count(0, 10_000)} of the last 10 s`)
  t.ok(count(500_000, 1_000_000) > 2, `${count(500_000, 1_000_000)} of the first half`)
})

test('drops bounds that are 20 minutes old', async (t) => {
  t.strictSame(addBound([[0, 1], [1, 1]], 1_200_000, 1), [[1, 1], [1_200_000, 1]])
})

test('finds the tightest bound at a later time', async (t) => {
  const bounds: Bounds = [[0, 10], [1000, 10], [2000, 12]]
  t.strictSame(findEdge(bounds, 3000, 0.0015), { valueMs: 13, ageMs: 2000 })
  t.strictSame(findEdge(bounds, 3000, -0.001), { valueMs: 7, ageMs: 3000 })
  t.strictSame(findEdge([], 3000, 0), { valueMs: Infinity, ageMs: 0 })
})

test('the gap is a third of the distance between the lowest and the fourth-lowest bound', async (t) => {
  const bounds: Bounds = [[0, 4], [1, 1], [2, 9], [3, 2.5], [4, 70]]
  t.equal(findGap(bounds, 4, 0), 8 / 3)
  t.equal(findGap(bounds.slice(0, 3), 4, 0), 0)
  t.equal(findGap([[0, 1], [100, 1], [200, 1], [300, 1]], 300, -0.01), 1)
})
