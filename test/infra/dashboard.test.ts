import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SetupError } from '../../infra/setup/error.js'
import { setUp } from '../../infra/setup/setup.js'
import { makeOut, makeSandbox } from './sandbox.ts'

// The step that builds the dashboard, with a script in the place of Vite.

const needs = { servers: false, dashboard: true, tests: false }
const VITE = 'node_modules/vite/bin/vite.js'
/** Builds one file that holds what the source holds. */
const BUILDS = `
const { cpSync, mkdirSync, appendFileSync } = require('node:fs')
const out = process.argv[process.argv.indexOf('--outDir') + 1]
mkdirSync(out + '/assets', { recursive: true })
cpSync('src/web/main.tsx', out + '/assets/main.js')
appendFileSync('calls', 'built ')
`

function makeCheckout(t: TestContext) {
  const sandbox = makeSandbox(t)
  const lock = JSON.stringify({ packages: {} })
  sandbox.write('package-lock.json', lock)
  sandbox.write('node_modules/.package-lock.json', lock)
  sandbox.write('node_modules/vite/package.json', '{}')
  sandbox.write('src/web/main.tsx', 'one')
  sandbox.write(VITE, BUILDS)
  return sandbox
}

test('the dashboard is built where its sources have changed, and only there', async (t) => {
  const { folder, write } = makeCheckout(t)
  const first = makeOut(false)
  await setUp(folder, needs, first)
  assert.match(first.text(), /^set-up: dashboard \.\.\.\nset-up: dashboard: 1 files in build\/web/)
  const second = makeOut(false)
  await setUp(folder, needs, second)
  assert.equal(second.text(), '')
  write('src/web/main.tsx', 'two')
  await setUp(folder, needs, makeOut(false))
  assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'built built ')
  assert.equal(readFileSync(join(folder, 'build/web/assets/main.js'), 'utf8'), 'two')
})

test('a build that fails leaves the one that is there', async (t) => {
  const { folder, write } = makeCheckout(t)
  await setUp(folder, needs, makeOut(false))
  write('src/web/main.tsx', 'two')
  write(VITE, `${BUILDS}\nconsole.error('main.tsx:1 is wrong')\nprocess.exit(1)`)
  await assert.rejects(setUp(folder, needs, makeOut(false)), (error: unknown) => {
    assert.ok(error instanceof SetupError)
    assert.match(error.render(), /Vite could not build the dashboard[^]*main\.tsx:1 is wrong/)
    return true
  })
  assert.equal(readFileSync(join(folder, 'build/web/assets/main.js'), 'utf8'), 'one')
  assert.deepEqual(readdirSync(join(folder, 'build')), ['web'])
})
