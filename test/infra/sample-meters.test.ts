import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { withSampleMeters } from '../../infra/supervisor/sample-meters.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { testConfig } from '../support/config.ts'

// Goal: the sample's meters have places and a zone beside the meters of the file, and the engine
// reckons with what it would have reckoned with.

test('the sample is known beside the meters of the file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-sample-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const metersFile = join(folder, 'meters.json')
  const own = { tenant: 'demo', meterId: 'own', zone: 'Asia/Kolkata', disorderSeconds: 7 }
  const defaults = { zone: 'Europe/Rome', disorderSeconds: 30 }
  writeFileSync(metersFile, JSON.stringify({ defaults, meters: [own] }))
  const config = testConfig({ metersFile, dataDir: join(folder, 'data') })
  const before = await loadRegistry(config)
  const after = await loadRegistry({ ...config, metersFile: withSampleMeters(config) })

  assert.equal(after.meters().length, 201)
  assert.deepEqual(after.meter('demo', 'own'), before.meter('demo', 'own'))
  assert.deepEqual(after.meter('demo', 'else'), before.meter('demo', 'else'))
  const { zone, place, registered } = after.meter('demo', 'sim-0001')
  assert.deepEqual([zone, registered], ['Europe/Berlin', true])
  assert.match(place ?? '', /^simulated /)
  const was = before.meter('demo', 'sim-0001')
  assert.deepEqual(after.meter('demo', 'sim-0001'), { ...was, zone, place, registered })
  const register = ['demo', 'sim-0001', 'energy_register_wh'] as const
  assert.deepEqual(after.channel(...register), before.channel(...register))
})
