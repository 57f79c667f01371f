import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { COMMONJS_PROGRAM } from '../../helpers/programs/commonjs-program.js'
import { packPackage } from '../../helpers/programs/packed-package.js'
import { outputOf } from '../../helpers/programs/program.js'

// For programs that cannot `require()` an ES module. test/extended/build-tools.test.ts runs Jest.

test('the CommonJS build', async (t) => {
  const { project } = await packPackage(t)
  await writeFile(join(project, 'program.cjs'), `${COMMONJS_PROGRAM}run().then(() => console.log('done'))`)

  await t.test('serves Node.js where require() refuses ES modules', async (t) => {
    const args = ['--no-experimental-require-module', 'program.cjs']
    t.equal(await outputOf(process.execPath, args, { cwd: project }), 'done\n')
  })

  await t.test('is not loaded by Node.js otherwise, so that there is one copy of the plugin', async (t) => {
    await writeFile(join(project, 'copies.cjs'), `
      for (const entry of ['', '/client', '/elements', '/elements/react', '/redis', '/backplane-contract']) {
        require('fastify-time-socket' + entry)
      }
      const loaded = Object.keys(require.cache).filter((path) => path.includes('fastify-time-socket'))
      console.log(JSON.stringify(loaded.filter((path) => /dist.cjs/.test(path))))
    `)
    t.equal(await outputOf(process.execPath, ['copies.cjs'], { cwd: project }), '[]\n')
  })
})
