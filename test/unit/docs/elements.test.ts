import { test } from 'tap'
import { ServerCountdownElement, ServerTimeElement } from '../../../src/elements/index.js'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'
import { literalsOf } from '../../helpers/documents/typescript-source.js'

const ELEMENTS = documentAt('docs/reference/elements.md')

test('the table of attributes lists the observed attributes of each element', async (t) => {
  const { rows } = findTable(ELEMENTS, 'attribute', 'element')
  const namedFor = (element: string) => rows
    .filter(([, owner = '']) => owner === 'both' || codesIn(owner).includes(element))
    .map(([name = '']) => codesIn(name)[0])
    .sort()
  t.strictSame(namedFor('<server-time>'), [...ServerTimeElement.observedAttributes].sort())
  t.strictSame(namedFor('<server-countdown>'), [...ServerCountdownElement.observedAttributes].sort())
})

test('the table of states lists every state', async (t) => {
  const states = literalsOf(readSource('src/elements/time-element.ts'), 'State')
  const { rows } = findTable(ELEMENTS, 'state')
  t.strictSame(rows.map(([name = '']) => codesIn(name)[0]), states)
})
