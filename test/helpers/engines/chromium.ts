import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../network/wait.js'
import type { Driver } from './driver.js'
import { startProcess } from './engine-process.js'
import { connectRemote } from './remote.js'

/** Without Playwright, which turns the back/forward cache off. */
const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage',
  '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-breakpad', '--disable-sync', '--remote-debugging-port=0', 'about:blank'
]

interface Evaluated {
  readonly result: { readonly value?: string }
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } }
}

interface History {
  readonly currentIndex: number
  readonly entries: readonly { readonly id: number }[]
}

interface Entry {
  readonly level: string
  readonly text: string
  readonly url?: string
}

export async function openChromium (executablePath: string): Promise<Driver> {
  const profile = await mkdtemp(join(tmpdir(), 'time-socket-chromium-'))
  const browser = startProcess(executablePath, [`--user-data-dir=${profile}`, ...FLAGS])

  async function close (): Promise<void> {
    await browser.end()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }

  try {
    const remote = await connectRemote(await browser.printed(/DevTools listening on (ws:\S+)/))
    const { targetId } = await remote.send<{ targetId: string }>(
      'Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await remote.send<{ sessionId: string }>(
      'Target.attachToTarget', { targetId, flatten: true })
    const send = <Result>(method: string, params: object = {}) => (
      remote.send<Result>(method, params, sessionId)
    )
    const problems: string[] = []
    remote.on<{ exceptionDetails: Evaluated['exceptionDetails'] }>(
      'Runtime.exceptionThrown', ({ exceptionDetails }) => problems.push(describe(exceptionDetails)))
    remote.on<{ type: string, args: { value?: unknown }[] }>(
      'Runtime.consoleAPICalled', ({ type, args }) => {
        if (type === 'error' || type === 'warning') problems.push(args.map(({ value }) => value).join(' '))
      })
    remote.on<{ entry: Entry }>('Log.entryAdded', ({ entry: { level, text, url } }) => {
      if (level === 'error' || level === 'warning') problems.push(`${text} ${url}`)
    })
    for (const domain of ['Runtime', 'Log', 'Page']) await send(`${domain}.enable`)

    async function evaluate (expression: string): Promise<string> {
      const params = { expression, awaitPromise: true, returnByValue: true }
      const { result, exceptionDetails } = await send<Evaluated>('Runtime.evaluate', params)
      if (exceptionDetails) throw new Error(describe(exceptionDetails))
      return String(result.value)
    }

    return {
      async goto (url) {
        const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url })
        if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
        await waitFor(async () => await evaluate('document.readyState') === 'complete', url)
      },
      async back () {
        const { currentIndex, entries } = await send<History>('Page.getNavigationHistory')
        await send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1]?.id })
      },
      async hide () {
        await remote.send('Target.createTarget', { url: 'about:blank' })
      },
      evaluate,
      problems,
      pids: browser.pids,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

function describe (details: Evaluated['exceptionDetails']): string {
  return details?.exception?.description ?? JSON.stringify(details)
}
