import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { elapsed, startStep } from '../../infra/setup/progress.js'
import { makeOut } from './sandbox.ts'

test('times are told in seconds, then in minutes', () => {
  assert.equal(elapsed(400), '0 s')
  assert.equal(elapsed(59_400), '59 s')
  assert.equal(elapsed(61_000), '1 min 1 s')
})

test('without a terminal a step is two plain lines', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const out = makeOut(false)
  const step = startStep(out, 'npm packages')
  step.detail('120 of 287 packages')
  t.mock.timers.tick(9_000)
  step.done('287 packages')
  t.mock.timers.tick(60_000)
  assert.equal(out.text(), 'set-up: npm packages ...\nset-up: npm packages: 287 packages, 9 s\n')
})

test('without a terminal a long step gives a sign of life every ten seconds', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const out = makeOut(false)
  const step = startStep(out, 'jars')
  t.mock.timers.tick(10_000)
  step.detail('7 jars fetched')
  t.mock.timers.tick(10_000)
  step.failed()
  assert.deepEqual(out.text().trimEnd().split('\n'), [
    'set-up: jars ...',
    'set-up: jars: 10 s so far',
    'set-up: jars: 7 jars fetched, 20 s so far',
    'set-up: jars: failed after 20 s',
  ])
})

test('on a terminal one line is drawn anew, never wider than the terminal', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const out = makeOut(true)
  const step = startStep(out, 'system packages', { colours: true })
  step.detail(`Unpacking ${'x'.repeat(100)}`)
  t.mock.timers.tick(500)
  step.done('maven')
  const drawn = out.text().split('\r')
  assert.ok(drawn.length > 4)
  for (const line of drawn) assert.ok(stripVTControlCharacters(line).length <= out.columns, line)
  assert.match(stripVTControlCharacters(drawn.at(-1) ?? ''), /^✔ system packages {2}maven 1 s\n$/)
})

test('colours are left out where they are not wanted', () => {
  const out = makeOut(true)
  startStep(out, 'jars', { colours: false }).failed()
  // Clearing the line is no colour.
  assert.doesNotMatch(out.text().replaceAll('\u001b[2K', ''), /\u001b/)
  assert.match(out.text(), /✖ jars {2}failed/)
})
