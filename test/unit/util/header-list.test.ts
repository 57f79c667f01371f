import { test } from 'tap'
import { readHeaderList } from '../../../src/util/header-list.js'

const headers: [header: string, elements: [value: string, ...parameters: string[]][]][] = [
  ['', [['']]],
  ['gzip', [['gzip']]],
  ['GZIP;Q=0.5, br', [['gzip', 'q=0.5'], ['br']]],
  [' gzip ; q=0.5 ;x , ', [['gzip', 'q=0.5', 'x'], ['']]],
  ['gzip;q=0, *;q=0.000, br;q=0.0001', [['br', 'q=0.0001']]],
  ['"a,b;c", W/"d,e"', [['"a b c"'], ['w/"d e"']]],
  ['a;b="c\\",d", e', [['a', 'b="c\\" d"'], ['e']]],
  ['a, "b, c', [['a'], ['"b  c']]],
  ['a, "b\\', [['a'], ['"b\\']]]
]

for (const [header, elements] of headers) {
  test(`reads ${header}`, async (t) => {
    const read = readHeaderList(header)
    t.strictSame(read.map(({ value, parameters }) => [value, ...parameters]), elements)
  })
}
