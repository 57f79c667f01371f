import { test } from 'tap'
import * as errors from '../../../src/api/errors.js'
import * as closeCodes from '../../../src/protocol/close-codes.js'
import { documentAt, readSource } from '../../helpers/documents/documents.js'
import { codesIn, findTable } from '../../helpers/documents/markdown.js'
import { literalsOf } from '../../helpers/documents/typescript-source.js'

const ERRORS = documentAt('docs/reference/errors.md')

test('the table of errors matches the exported classes', async (t) => {
  const { rows } = findTable(ERRORS, 'code', 'class', 'status')
  const exported = Object.entries(errors).map(([name, ErrorClass]) => {
    const { code, statusCode } = new ErrorClass('a', 'b', 'c')
    return `\`${code}\` \`${name}\` ${statusCode}`
  }).sort()
  const named = rows.map((row) => row.slice(0, 3).join(' ')).sort()
  t.strictSame(named, exported)
})

test('the table of close codes', async (t) => {
  const { rows } = findTable(ERRORS, 'close code', '`cause`')

  await t.test('has every code of the plugin, in order', async (t) => {
    const codes = Object.values(closeCodes).filter((value) => typeof value === 'number')
    // 4403 is the application's: it has a row for what the browser client makes of it.
    const named = rows.map(([code]) => Number(code)).filter((code) => code !== 4403)
    t.strictSame(named, codes.sort((a, b) => a - b))
  })

  await t.test('has every cause', async (t) => {
    const types = readSource('src/api/stats.ts')
    const causes = new Set(rows.flatMap(([, cause = '']) => codesIn(cause)))
    t.strictSame([...causes].sort(), literalsOf(types, 'CloseCause').sort())
  })
})
