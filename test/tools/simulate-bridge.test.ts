import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { systemClock } from '../../src/kernel/time.ts'
import { readLedger } from '../../src/tools/ledger.ts'
import { FAULT_NAMES, FAULTS } from '../../src/tools/simulate/faults.ts'
import { Fleet, type FleetOptions } from '../../src/tools/simulate/fleet.ts'
import { type SimulateProgress, simulate } from '../../src/tools/simulate/simulate.ts'
import { startPipeline } from '../support/pipeline.ts'
import { spawnRole } from '../support/roles.ts'

// A night with a clock change, in the zone that changes it.
const START = Date.parse('2026-10-24T20:00:00Z') / 1_000
const END = START + 12 * 3_600
const FLEET: FleetOptions = {
  ...{ seed: 5, meters: 20, intervalSeconds: 60, zone: 'Europe/Berlin', tenant: 'demo' },
  faults: Object.fromEntries(FAULT_NAMES.map((name) => [name, FAULTS[name].rate * 2])),
}

// Goal: with every fault, and a bridge that dies on the way, what was acknowledged is in QuestDB.
test('a fleet with all faults loses nothing where the bridge is killed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'simulate-bridge-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  const ledger = join(folder, 'acked.jsonl')
  const pipeline = await startPipeline(t)
  let killed: Promise<void> | undefined
  const killOnce = ({ acknowledged }: SimulateProgress) => {
    if (killed !== undefined || acknowledged < 1_000) return
    killed = pipeline.bridge.kill().then(() => {
      spawnRole(t, 'bridge', pipeline.config)
    })
  }
  const summary = await simulate({
    ...{ fleet: FLEET, start: START, end: END, speed: Infinity, url: pipeline.mqttUrl, ledger },
    ...{ connections: 4, window: 8, stateFile: undefined, clock: systemClock },
    signal: new AbortController().signal,
    onProgress: killOnce,
  })
  assert.ok(killed !== undefined, 'the bridge was not killed while it was needed')
  await killed

  const publishes = [...new Fleet(FLEET).publishes(START, END)]
  const poison = publishes.filter(({ readings }) => readings.length === 0).length
  const readings = publishes.reduce((sum, publish) => sum + publish.readings.length, 0)
  assert.equal(summary.acknowledged, readings)
  assert.equal((await Array.fromAsync(readLedger(ledger))).length, readings + poison)

  await pipeline.settled()
  const { code, stdout, stderr } = await pipeline.cli('verify', '--ledger', ledger)
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /they agree/)
})
