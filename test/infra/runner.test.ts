import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { ClosingLinesLast } from '../runner/closing-lines.ts'
import { RUN_MARK, endLeaked, leakedProcesses } from '../runner/leaks.ts'
import { parseOptions } from '../runner/options.ts'
import { makeSandbox } from './sandbox.ts'

test('files and folders are chosen, each once and in order', (t) => {
  const { folder, write } = makeSandbox(t)
  const b = write('test/log/b.test.ts', '')
  const a = write('test/a.test.ts', '')
  write('test/support/c.ts', '')
  assert.deepEqual(parseOptions(folder, []), { files: [a, b], names: [] })
  assert.deepEqual(parseOptions(folder, ['test/log', 'test/log/b.test.ts']).files, [b])
  const named = parseOptions(folder, ['--name', 'closes', '--name=opens', 'test/a.test.ts'])
  assert.deepEqual(named, { files: [a], names: ['closes', 'opens'] })
  assert.throws(() => parseOptions(folder, ['test/support']), /'test\/support' is neither/)
  assert.throws(() => parseOptions(folder, ['test/none.test.ts']), /is neither a test file/)
  assert.throws(() => parseOptions(folder, ['--watch']), /'--watch' is no option/)
  assert.throws(() => parseOptions(folder, ['--name']), /--name wants a value/)
})

test('closing lines are kept back until the end', async () => {
  const text = new ClosingLinesLast()
  // In pieces that end within lines, and in colour.
  for (const piece of ['✔ a\n✔ b', '\n\u001b[34mℹ te', 'sts 2\u001b[39m\nℹ pass 2\n', 'end']) {
    text.write(piece)
  }
  text.end()
  let passed = ''
  for await (const chunk of text) passed += String(chunk)
  assert.equal(passed, '✔ a\n✔ b\n')
  assert.equal(text.release(), '\u001b[34mℹ tests 2\u001b[39m\nℹ pass 2\nend')
})

test('a process that bears the mark of the run is found, and ended', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('only Linux shows the environment of other processes')
    return
  }
  const run = randomUUID()
  const child = spawn('sleep', ['60'], {
    env: { ...process.env, [RUN_MARK]: run },
    detached: true,
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  const found = await leakedProcesses(run, '/no/such/folder', 0)
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [child.pid],
  )
  assert.match(found[0]?.command ?? '', /^sleep 60$/)
  endLeaked(found)
  await once(child, 'exit')
  assert.deepEqual(await leakedProcesses(run, '/no/such/folder', 0), [])
})

test('a process that names the folder of the run is found', async () => {
  const folder = `/tmp/meterloom-test-${randomUUID()}`
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', folder], {
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  const found = await leakedProcesses('none', folder, 0)
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [child.pid],
  )
  endLeaked(found)
  await once(child, 'exit')
})
