/** Something that the application's own code may do, wrongly. */
export type Misdeed = readonly [title: string, act: () => unknown]

/** An object of which nothing can be asked. */
const HOSTILE = new Proxy({}, {
  get () { throw new Error('nothing to get') },
  getPrototypeOf () { throw new Error('no prototype') },
  ownKeys () { throw new Error('no keys') },
  has () { throw new Error('nothing there') }
})

/** An Error of which only the name can be asked. */
function createHostileError (): Error {
  const fail = { get () { throw new Error('no answer') } }
  const names = ['message', 'stack', 'cause', 'code', 'statusCode', 'status', 'headers', 'toJSON']
  const getters = Object.fromEntries(names.map((name) => [name, fail]))
  return Object.defineProperties(new Error(), getters)
}

function throwing (value: unknown): () => never {
  return () => { throw value }
}

const REVOKED = Proxy.revocable({}, {})
REVOKED.revoke()

const ownThen = { then () {} }

/** What a callback may do instead of its work. None of it is to reach anybody else. */
export const MISDEEDS: readonly Misdeed[] = [
  ['throws', throwing(new Error('no database'))],
  ['throws null', throwing(null)],
  ['throws undefined', throwing(undefined)],
  ['throws false', throwing(false)],
  ['throws text', throwing('no database')],
  ['throws a number that is an HTTP status', throwing(404)],
  ['throws a symbol', throwing(Symbol('no database'))],
  ['throws a frozen error', throwing(Object.freeze(new Error('no database')))],
  ['throws an error whose getters throw', () => { throw createHostileError() }],
  ['throws a proxy that throws on every access', throwing(HOSTILE)],
  ['throws a revoked proxy', throwing(REVOKED.proxy)],
  ['throws an error that contains itself', () => {
    const err = new Error('no database')
    throw Object.assign(err, { cause: err, err })
  }],
  ['rejects', () => Promise.reject(new Error('no database'))],
  ['rejects with nothing', async () => throwing(undefined)()],
  ['rejects with an error whose getters throw', () => Promise.reject(createHostileError())],
  ['rejects with a proxy that throws on every access', () => Promise.reject(HOSTILE)],
  ['rejects later', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    throw new Error('no database')
  }],
  ['never settles', () => new Promise(() => {})],
  ['returns a thenable that throws', () => ({ then: throwing(new Error('no promise')) })],
  ['returns a thenable that throws nothing', () => ({ then: throwing(null) })],
  ['returns a thenable whose then throws when asked for', () =>
    ({ get then () { throw new Error('no promise') } })],
  ['returns a thenable that answers twice, then throws', () => ({
    then (resolve: (value: unknown) => void, reject: (err: unknown) => void) {
      resolve(undefined)
      reject(new Error('no database'))
      throw new Error('no promise')
    }
  })],
  ['returns a promise with an overridden then', () => Object.assign(Promise.resolve(), ownThen)],
  ['returns a rejected promise with an overridden then', () =>
    Object.assign(Promise.reject(new Error('no database')), ownThen)],
  ['returns a proxy that throws on every access', () => HOSTILE],
  ['returns a revoked proxy', () => REVOKED.proxy],
  ['returns a symbol', () => Symbol('rubbish')],
  ['returns a bigint', () => 1n],
  ['returns a function', () => () => {}],
  ['returns null', () => null]
]
