import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { ServerCountdownElement, ServerTimeElement } from '../../../src/elements/index.js'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'
import { literalsOf } from '../../helpers/documents/typescript-source.js'
import { pathOf } from '../../helpers/root.js'

/** The part of a declaration in `custom-elements.json` that the tests read. */
interface Declaration {
  readonly tagName?: string
  readonly events?: readonly { readonly name: string }[]
}

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

test('the manifest for editors names the events of the element that has them', async (t) => {
  const { rows } = findTable(ELEMENTS, 'name', 'kind')
  const documented = rows.filter(([, kind]) => kind === 'event').map(([name = '', , meaning = '']) => {
    return [codesIn(meaning)[0]?.slice(1, -1), codesIn(name)]
  })
  const manifest = JSON.parse(await readFile(pathOf('dist/elements/custom-elements.json'), 'utf8'))
  const declared = manifest.modules
    .flatMap(({ declarations }: { declarations: Declaration[] }) => declarations)
    .filter(({ tagName, events }: Declaration) => tagName !== undefined && events !== undefined)
    .map(({ tagName, events }: Declaration) => [tagName, events?.map(({ name }) => name)])
  t.strictSame(declared, documented)
})

test('the table of states lists every state', async (t) => {
  const states = literalsOf(readSource('src/elements/time-element.ts'), 'State')
  const { rows } = findTable(ELEMENTS, 'state')
  t.strictSame(rows.map(([name = '']) => codesIn(name)[0]), states)
})
