import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Driver } from './driver.js'
import { startProcess } from './engine-process.js'
import type { EngineProcess } from './engine-process.js'
import { waitFor } from '../network/wait.js'

export const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver'
export const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'
export const XVFB = '/usr/bin/Xvfb'

const CAPABILITIES = {
  alwaysMatch: {
    'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] }
  }
}
const ENVIRONMENT = {
  // With C.UTF-8 the page's language would be "C", which `Intl` refuses.
  LC_ALL: 'C',
  WEBKIT_DISABLE_DMABUF_RENDERER: '1',
  LIBGL_ALWAYS_SOFTWARE: '1',
  NO_AT_BRIDGE: '1'
}
/** Longer than any script of the tests runs. */
const SCRIPT_MS = 180_000

/** Opens a page by W3C WebDriver, in a window on a display of its own. */
export async function openWebKit (): Promise<Driver> {
  const running: EngineProcess[] = []

  async function close (): Promise<void> {
    for (const program of running.splice(0).reverse()) await program.end()
  }

  try {
    // Xvfb takes the first display that is free, and says which.
    const display = startProcess(XVFB, ['-displayfd', '3', '-nolisten', 'tcp'])
    running.push(display)
    const number = await display.printed(/^(\d+)$/m)
    const port = await findFreePort()
    const env = { ...process.env, ...ENVIRONMENT, DISPLAY: `:${number}` }
    const driver = startProcess(WEBKIT_DRIVER, [`--port=${port}`], env)
    running.push(driver)
    const base = `http://127.0.0.1:${port}/session`
    await waitFor(() => fetch(`http://127.0.0.1:${port}/status`).then(({ ok }) => ok, () => false), base)
    const { sessionId } = await post<{ sessionId: string }>(base, { capabilities: CAPABILITIES })
    const send = <Result>(path: string, body: object) => post<Result>(`${base}/${sessionId}/${path}`, body)
    await send('timeouts', { script: SCRIPT_MS })
    return {
      async goto (url) {
        await send('url', { url })
      },
      async back () {
        await send('back', {})
      },
      async hide () {
        // Tabs are hidden from the start, windows never.
        const { handle } = await send<{ handle: string }>('window/new', { type: 'tab' })
        await send('window', { handle })
      },
      async evaluate (expression) {
        const script = `const [done] = arguments; Promise.resolve(${expression})
          .then((text) => done({ text }), (error) => done({ error: String(error) }))`
        const { text, error } = await send<{ text?: string, error?: string }>(
          'execute/async', { script, args: [] })
        if (error !== undefined) throw new Error(error)
        return String(text)
      },
      problems: [],
      pids: driver.pids,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function post<Result> (url: string, body: object): Promise<Result> {
  const answer = await fetch(url, {
    method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(SCRIPT_MS)
  })
  const { value } = await answer.json() as { value: Result }
  if (!answer.ok) throw new Error(`${url}: ${JSON.stringify(value)}`)
  return value
}

async function findFreePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
