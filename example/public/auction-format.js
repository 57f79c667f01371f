const NAMES = ['Otter', 'Heron', 'Badger', 'Lynx', 'Raven', 'Hare', 'Stork', 'Marten']

/** A name for who has none yet. */
export function createName () {
  const name = NAMES[Math.floor(Math.random() * NAMES.length)]
  return `${name} ${10 + Math.floor(Math.random() * 90)}`
}

/** A time of day where the page is, `14:05:09`, and its tenths, `.3`. */
export function formatTime (ms) {
  const date = new Date(ms)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return {
    seconds: parts.map((part) => String(part).padStart(2, '0')).join(':'),
    tenths: `.${Math.floor(date.getMilliseconds() / 100)}`
  }
}

/** What is left, rounded up, so that zero is zero: `1:05`, or with tenths `0:05.3`. */
export function formatCountdown (ms, withTenths) {
  const tenths = Math.ceil(ms / 100)
  const seconds = withTenths ? Math.floor(tenths / 10) : Math.ceil(ms / 1000)
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return withTenths ? `${text}.${tenths % 10}` : text
}

/** By how much the clock may be wrong. */
export function formatBound (ms) {
  if (ms === Infinity) return 'Not known yet: your device’s own time'
  return `± ${formatSpan(ms)} at most`
}

/** @param ms by which the server's clock is ahead of the device's, known to `errorMs`. */
export function formatOffset (ms, errorMs) {
  if (Math.abs(ms) <= errorMs + 1) return 'In step'
  return `${formatSpan(Math.abs(ms))} ${ms > 0 ? 'behind' : 'ahead'}`
}

function formatSpan (ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${ms.toFixed(0)} ms`
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  return `${(ms / 60_000).toFixed(1)} min`
}
