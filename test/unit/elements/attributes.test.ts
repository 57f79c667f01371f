import { test } from 'tap'
import { installFakePage } from '../../helpers/fakes/fake-page.js'

installFakePage()
const { share } = await import('../../../src/elements/attributes.js')

const create = (language: string) => share(Intl.NumberFormat, language, { style: 'percent' })

test('one formatter is shared per language and options, until a hundred others exist', async (t) => {
  const first = create('en')
  t.equal(create('en'), first)
  t.not(create('fi'), first)
  t.not(share(Intl.NumberFormat, 'en', {}), first)
  for (let index = 0; index < 100; index++) create(`en-x-${index}`)
  t.not(create('en'), first)
})
