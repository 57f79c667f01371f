import { test } from 'tap'
import { DOCUMENTS } from '../../helpers/documents/documents.js'
import { withoutBlocks } from '../../helpers/documents/markdown.js'

const CURLY_QUOTES = /[\u00ab\u00bb\u201e\u201c\u201d\u2018]/

test('documents use straight quotes', async (t) => {
  for (const [path, markdown] of DOCUMENTS) {
    const lines = withoutBlocks(markdown).split('\n')
    t.strictSame(lines.filter((line) => CURLY_QUOTES.test(line)), [], path)
  }
})

test('README.md is read in five minutes: at most 300 lines', async (t) => {
  t.ok((DOCUMENTS.get('README.md') ?? '').split('\n').length <= 300)
})
