import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, DriverOptions } from './driver.js'
import { startProcess } from './engine-process.js'
import { connectRemote } from './remote.js'

export const FIREFOX = '/usr/bin/firefox-esr'

const FLAGS = ['--headless', '--no-remote', '--remote-debugging-port', '0']
const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.enabled': false
}

type Evaluated =
  { readonly type: 'success', readonly result: { readonly value?: string } } |
  { readonly type: 'exception', readonly exceptionDetails: { readonly text: string } }

/** Opens a page by WebDriver BiDi, which is built in. */
export async function openFirefox ({ preferences }: DriverOptions): Promise<Driver> {
  const profile = await mkdtemp(join(tmpdir(), 'time-socket-firefox-'))
  const lines = Object.entries({ ...PREFERENCES, ...preferences })
    .map((entry) => `user_pref(${entry.map((part) => JSON.stringify(part)).join(', ')});\n`)
  await writeFile(join(profile, 'user.js'), lines.join(''))
  const browser = startProcess(FIREFOX, [...FLAGS, '--profile', profile])

  async function close (): Promise<void> {
    await browser.end()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }

  try {
    const url = await browser.printed(/WebDriver BiDi listening on (ws:\S+)/)
    const { send, on } = await connectRemote(`${url}/session`)
    await send('session.new', { capabilities: {} })
    const problems: string[] = []
    on<{ level: string, text: string }>('log.entryAdded', ({ level, text }) => {
      if (level === 'error' || level === 'warn') problems.push(text)
    })
    await send('session.subscribe', { events: ['log.entryAdded'] })
    const { contexts: [{ context }] } = await send<{ contexts: [{ context: string }] }>(
      'browsingContext.getTree')
    return {
      async goto (url) {
        await send('browsingContext.navigate', { context, url, wait: 'complete' })
      },
      async back () {
        await send('browsingContext.traverseHistory', { context, delta: -1 })
      },
      async hide () {
        await send('browsingContext.create', { type: 'tab', background: false })
      },
      async evaluate (expression) {
        const params = { expression, target: { context }, awaitPromise: true }
        const evaluated = await send<Evaluated>('script.evaluate', params)
        if (evaluated.type === 'exception') throw new Error(evaluated.exceptionDetails.text)
        return String(evaluated.result.value)
      },
      problems,
      pids: browser.pids,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}
