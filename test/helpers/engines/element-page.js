/** A page whose elements a test creates: nothing is defined before `loadElements()`. */
globalThis.loadElements = () => import('/time/elements.js')

/** What was reported, and what the policy of the page forbids. */
globalThis.reports = []
globalThis.addEventListener('error', ({ message }) => globalThis.reports.push(message))
globalThis.addEventListener('securitypolicyviolation', ({ violatedDirective }) => {
  globalThis.reports.push(`violates ${violatedDirective}`)
})

/** Adds an element to the page. @returns it. */
globalThis.addElement = (name, attributes = {}, clock = undefined) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.textContent = 'fallback'
  if (clock) element.clock = clock
  document.body.append(element)
  return element
}

/** What an element shows; undefined for its fallback content. */
globalThis.textOf = ({ shadowRoot }) => {
  const part = shadowRoot.querySelector('[part=time]')
  return part.hidden ? undefined : part.textContent
}

/** Resolves once the condition holds. Rejects after a minute. */
globalThis.until = async (condition) => {
  const endMs = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within a minute: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A clock that stands still, as far as the elements use it. */
globalThis.StoppedClock = class extends EventTarget {
  state = 'open'
  synced = true
  error = 12.3
  #nowMs

  constructor (nowMs) {
    super()
    this.#nowMs = nowMs
  }

  now () {
    return this.#nowMs
  }

  toMonotonic (serverTime) {
    return performance.now() + serverTime - this.#nowMs
  }

  set (nowMs) {
    this.#nowMs = nowMs
    this.dispatchEvent(new Event('sync'))
  }
}
globalThis.isReady = true
