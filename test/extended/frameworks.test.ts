import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import timeSocket from '../../src/index.js'
import { findBrowser, openPage } from '../helpers/browsers/browser.js'
import { documentAt } from '../helpers/documents/documents.js'
import { parseBlocks } from '../helpers/documents/markdown.js'
import { outputOf } from '../helpers/programs/program.js'
import { pathOf } from '../helpers/root.js'

// It installs and builds, on a machine that may be busy.
tap.setTimeout(600_000)

const NAME = /^(?:\/\/|<!--) (\S+?)(?: -->)?\n/

const REACT_MAIN = `
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Time } from './useServerTime.jsx'
import { useMessage } from './useMessage.jsx'

function Page () {
  useMessage((detail) => { document.title = detail.text })
  return <Time />
}
createRoot(document.querySelector('#page')).render(<StrictMode><Page /></StrictMode>)
`
const VUE_MAIN = `
import { createApp } from 'vue'
import { clock } from './clock.js'
import Time from './Time.vue'

clock.addEventListener('message', ({ detail }) => { document.title = detail.text })
createApp(Time).mount('#page')
`

test('the examples of the guides on frameworks and testing work in a new project', async (t) => {
  const browser = await findBrowser()
  const project = await createProject(t)
  const server = await createServer(t, project)

  const pages: [name: string, file: string, source: string][] = [
    ['React 19 in StrictMode', 'main.jsx', REACT_MAIN],
    ['Vue 3', 'main.js', VUE_MAIN]
  ]
  for (const [name, file, source] of pages) {
    const options = { skip: browser === undefined && 'there is no browser' }
    await t.test(`${name}: the example builds, and shows the time over one connection`, options, async (t) => {
      await writeFile(join(project, file), source)
      await writeFile(join(project, 'index.html'),
        `<!doctype html><div id="page"></div><script type="module" src="/${file}"></script>`)
      await outputOf('node', ['node_modules/vite/bin/vite.js', 'build'], {
        cwd: project, limitMs: 120_000
      })
      const { page } = await openPage(t, browser ?? '')
      await page.goto(server.url)
      await page.waitForFunction("/\\d/.test(document.querySelector('time')?.textContent)")
      t.equal(server.app.timeSocket.clients.size, 1)
      server.app.timeSocket.broadcast({ text: 'hello' })
      await page.waitForFunction("document.title === 'hello'")
      await page.close()
    })
  }

  await t.test('vitest: the example of the testing guide passes', async (t) => {
    // The default of 5 s for a test is too short for a busy machine.
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=60000']
    const output = await outputOf('node', args, { cwd: project, limitMs: 120_000 })
    t.match(output, /1 passed/)
  })

  await t.test('vitest: the contract test of backplanes passes', async (t) => {
    await cp(pathOf('test/fixtures/backplane'), join(project, 'backplane'), { recursive: true })
    const file = 'backplane/vitest.test.js'
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=60000', file]
    const output = await outputOf('node', args, { cwd: project, limitMs: 120_000 })
    t.match(output, /15 passed/)
  })
})

/** A folder with the named blocks of both guides, their packages, and this package as built. */
async function createProject (t: Test): Promise<string> {
  // Inside of the repository, so that fastify and ws are found.
  const project = pathOf('build/frameworks')
  await rm(project, { recursive: true, force: true })
  t.teardown(() => rm(project, { recursive: true, force: true }))
  await cp(pathOf('test/fixtures/frameworks'), project, { recursive: true })
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock']
  await outputOf('npm', install, { cwd: project, limitMs: 300_000 })
  for (const path of ['docs/guide/frameworks.md', 'docs/guide/testing.md']) {
    for (const { code } of parseBlocks(documentAt(path))) {
      const [, name] = NAME.exec(code) ?? []
      if (name !== undefined && !name.includes('.spec.')) await writeFile(join(project, name), code)
    }
  }
  const target = join(project, 'node_modules/fastify-time-socket')
  await mkdir(target, { recursive: true })
  for (const part of ['dist', 'package.json']) {
    await cp(pathOf(part), join(target, part), { recursive: true })
  }
  return project
}

async function createServer (t: Test, project: string) {
  const app = fastify()
  t.teardown(() => app.close())
  const root = join(project, 'dist')
  await mkdir(root, { recursive: true })
  await app.register(fastifyStatic, { root, wildcard: true })
  await app.register(timeSocket, { interval: 1000 })
  return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) }
}
