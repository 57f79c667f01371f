/** What a client sends in the place of a JSON value, and what the application may see of it. */
interface Value {
  readonly title: string
  /** JSON, or what looks like it. */
  readonly text: string
  /** The value in JSON's own words; undefined if there is none. */
  readonly told: string | undefined
}

/** A text message of a client of `time.v1`. */
export interface HostileText {
  readonly title: string
  readonly text: string
  /** What `onMessage` is told; undefined if nothing. */
  readonly told: string | undefined
}

const DEPTH = 100_000
const NAMES = [
  '__proto__', 'constructor', 'prototype', 'toString', 'toJSON', 'then', 'hasOwnProperty',
  '__defineGetter__', 'length', ''
]

/** Values that are told as they come. */
const GOOD = [
  ...NAMES.map((name) => `{"${name}":{"x":1}}`),
  '{"__proto__":{"__proto__":{"x":1}}}', '{"constructor":{"prototype":{"x":1}}}',
  '{"__proto__":null}', '{"__proto__":[]}', '{"then":1}', '[{"__proto__":{"x":1}}]',
  '"\\ud800"', '["\\udfff\\ud800"]', '"\\u0000"', '{"\\u0000":"\\u0000"}', '"\\u2028"',
  '9007199254740993e0', '1e308', '5e-324', '-0', '[]', '{}', 'null', 'true', '""',
  '[[[[[[]]]]]]', '1.7976931348623157e308', '"</script>"', '{"x":1,"x":2}', '{"toJSON":{}}'
]

/** Values that JSON does not know, or that it has no text for. */
const BAD: Value[] = [
  { title: '1e999', text: '1e999', told: undefined },
  { title: '-1e999', text: '-1e999', told: undefined },
  { title: 'an infinity within', text: '{"a":[1e400]}', told: undefined },
  { title: 'a number of 10,000 digits', text: '9'.repeat(10_000), told: undefined },
  { title: 'brackets without end', text: '['.repeat(DEPTH), told: undefined },
  { title: 'braces without end', text: '{"a":'.repeat(DEPTH), told: undefined },
  {
    title: 'arrays 100,000 deep',
    text: '['.repeat(DEPTH) + ']'.repeat(DEPTH),
    told: undefined
  },
  {
    title: 'objects 100,000 deep',
    text: '{"__proto__":'.repeat(DEPTH) + '1' + '}'.repeat(DEPTH),
    told: undefined
  },
  ...['NaN', 'Infinity', 'undefined', "'x'", '01', '+1', '.5', '0x10', '1n', '[1,]', '{a:1}',
    '"\t"', '"\0"', '\0', '"\\x41"', '"\\u00"', '\ufeff1', '/**/1', '1 2', '{"a":1', '"\\ud800']
    .map((text) => ({ title: JSON.stringify(text), text, told: undefined }))
]

const VALUES: readonly Value[] = [
  ...GOOD.map((text) => ({ title: text, text, told: JSON.stringify(JSON.parse(text)) })),
  ...BAD
]

/** Frames for a value, each with what becomes of it where the value is good. */
const FRAMES: readonly [frame: string, told: (json: string) => string | undefined][] = [
  ['V', () => undefined],
  ['{"type":"message","data":V}', textOf],
  ['{"type":"message","data":[V]}', (json) => `[${json}]`],
  ['{"type":"nothing","type":"message","data":0,"data":V}', textOf],
  ['{"type":"message","type":"nothing","data":V}', () => undefined],
  ['{"type":V,"data":1}', () => undefined],
  ['{"type":"sync","id":V}', () => undefined],
  ['{"type":"sync","__proto__":{"id":1},"id":V}', () => undefined],
  ['{"__proto__":{"type":"message"},"data":V}', () => undefined],
  ['{"type":"message","__proto__":{"data":V}}', () => undefined]
]

/** A string is told as it is, any other value as its JSON text. */
function textOf (json: string): string {
  const value: unknown = JSON.parse(json)
  return typeof value === 'string' ? value : json
}

/** Each value in each place: more than 500. */
export const HOSTILE_TEXTS: readonly HostileText[] = VALUES.flatMap(({ title, text, told }) =>
  FRAMES.map(([frame, tell]) => ({
    title: frame.replace('V', () => title),
    text: frame.replace('V', () => text),
    told: told === undefined ? undefined : tell(told)
  })))

/** Values that can be read: for contexts and conditions. */
export const HOSTILE_JSON: readonly string[] = [...GOOD, '['.repeat(1000) + ']'.repeat(1000)]
