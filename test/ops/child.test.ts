import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startChild } from '../../infra/servers/child.ts'

test('a child that was ended is known to have ended', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-child-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (let round = 0; round < 20; round++) {
    let told = ''
    const child = await startChild({
      command: { program: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] },
      logFile: join(folder, 'child.log'),
      pidFile: join(folder, 'child.pid'),
      signalOnOurDeath: 'SIGKILL',
      env: process.env,
      onEnd: (how) => (told = how),
    })
    const ended = child.end('SIGKILL', 5_000)
    // The kernel ends it while this process is busy: it is gone before we are told.
    const busyUntilMs = performance.now() + 30
    while (performance.now() < busyUntilMs);
    await ended
    assert.match(child.ended ?? 'not known to have ended', /^killed by SIGKILL$/, `round ${round}`)
    assert.equal(told, child.ended)
  }
})
