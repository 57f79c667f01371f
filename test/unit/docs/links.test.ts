import { test } from 'tap'
import { DOCUMENTS, isInRepository } from '../../helpers/documents/documents.js'
import { brokenLinks } from '../../helpers/documents/markdown.js'

test('every relative link leads to a file and a heading', async (t) => {
  t.strictSame(brokenLinks(DOCUMENTS, isInRepository), [])
})
