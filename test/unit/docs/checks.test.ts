import { test } from 'tap'
import { scriptsIn, syntaxErrors } from '../../helpers/documents/document-programs.js'
import {
  anchorsIn, brokenLinks, findTable, linksIn, parseBlocks, parseTables, section
} from '../../helpers/documents/markdown.js'
import { print } from '../../helpers/documents/option-table.js'
import { literalsOf, membersOf } from '../../helpers/documents/typescript-source.js'

test('the checks of the documents', async (t) => {
  await t.test('find blocks, tables, sections and anchors', async (t) => {
    const markdown = [
      '# A `b.c` (d)', '', '| a | b |', '|---|---|', '| `1` | x \\| y |', '',
      '```ts', '# no heading', '| no | table |', '```', '## E', 'text', '## E'
    ].join('\n')
    t.strictSame(parseBlocks(markdown), [
      { language: 'ts', code: '# no heading\n| no | table |\n', line: 8 }
    ])
    t.strictSame(parseTables(markdown), [{ columns: ['a', 'b'], rows: [['`1`', 'x | y']] }])
    t.strictSame(anchorsIn(markdown), ['a-bc-d', 'e', 'e-1'])
    t.equal(section(markdown, 'E'), 'text')
  })

  const malformed: [title: string, look: () => unknown, message: string][] = [
    ['an endless block', () => parseBlocks('```ts\nx'), 'the code block of line 2 has no end'],
    ['an indented block', () => parseBlocks('\n ```ts'), 'the code block of line 2 is indented'],
    ['no such table', () => findTable('| a | b |', 'b'), 'expected one table | b |, found 0'],
    ['no such heading', () => section('# A', 'B'), 'there is no heading "B"'],
    ['no such interface', () => membersOf('', 'A'), 'there is no interface A'],
    ['no such type', () => literalsOf('', 'A'), 'there is no type A']
  ]
  for (const [title, look, message] of malformed) {
    await t.test(`do not pass over ${title}`, async (t) => {
      t.throws(look, { message })
    })
  }

  await t.test('find links that lead nowhere', async (t) => {
    const files = new Map([
      ['README.md', '# A\n[a](#a) [b](#b) ![c](docs/c.svg) [d](docs/d.md#d) [e](https://e.org)'],
      ['docs/d.md', '# D\n[a](../README.md#a) [b](../README.md#b) `[h](i)`']
    ])
    t.strictSame(linksIn('[a](b) ![c](d)'), ['b', 'd'])
    t.strictSame(brokenLinks(files, (path) => files.has(path)),
      ['README.md: #b', 'README.md: docs/c.svg', 'docs/d.md: ../README.md#b'])
  })

  await t.test('find scripts that do not parse', async (t) => {
    const scripts = scriptsIn('<script>let a</script>\n<script type="module">let = </script>')
    t.strictSame(scripts.map((script) => syntaxErrors(script).length > 0), [false, true])
  })

  await t.test('print defaults as the table does', async (t) => {
    const printed = [undefined, 'a', 5, true, [], {}, () => ({}), { now: () => 1 }].map(print)
    t.strictSame(printed,
      ['none', "`'a'`", '`5`', '`true`', '`[]`', '`{}`', '`() => ({})`', '`{ now: () => 1 }`'])
  })

  await t.test('list the members of an interface and the members of a union', async (t) => {
    const members = membersOf('interface A { b: 1; readonly c?: 2; d (): void }', 'A')
    t.strictSame(members, ['b', 'c', 'd'])
    t.strictSame(literalsOf("type A = 'b' | 'c'; type D = 'e'", 'A'), ['b', 'c'])
    t.strictSame(literalsOf("type A = 'b' | 'c'; type D = 'e'", 'D'), ['e'])
  })
})
