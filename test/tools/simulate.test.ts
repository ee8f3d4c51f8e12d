import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { register } from '../../src/cli/simulate.ts'
import { runCli } from '../../src/cli/run.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { systemClock } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { readLedger } from '../../src/tools/ledger.ts'
import { FAULT_NAMES, FAULTS } from '../../src/tools/simulate/faults.ts'
import { Fleet, type FleetOptions } from '../../src/tools/simulate/fleet.ts'
import { registeredMeters } from '../../src/tools/simulate/registered.ts'
import { type SimulateOptions, simulate } from '../../src/tools/simulate/simulate.ts'
import { readState, writeState } from '../../src/tools/simulate/state.ts'
import { openBroker } from './replay-broker.ts'
import type { Scope } from '../support/database.ts'

const START = Date.parse('2026-10-24T12:00:00Z') / 1_000
const HOUR = 3_600
const FLEET: FleetOptions = {
  ...{ seed: 3, meters: 10, intervalSeconds: 60, zone: 'Europe/Berlin', tenant: 'demo' },
  faults: Object.fromEntries(FAULT_NAMES.map((name) => [name, FAULTS[name].rate * 3])),
}

function folder(t: Scope): string {
  const path = mkdtempSync(join(tmpdir(), 'simulate-'))
  t.after(() => {
    rmSync(path, { recursive: true })
    return Promise.resolve()
  })
  return path
}

function optionsFor(url: string, more: Partial<SimulateOptions> = {}): SimulateOptions {
  return {
    ...{ fleet: FLEET, start: START, end: START + 6 * HOUR, speed: Infinity, url },
    ...{ connections: 4, window: 16, ledger: undefined, stateFile: undefined, clock: systemClock },
    signal: new AbortController().signal,
    ...more,
  }
}

/** Readings as (topic, text), poison as it is, in the order of arrival. */
function parts(received: readonly { topic: string; payload: string }[]): string[] {
  return received.flatMap(({ topic, payload }) => {
    const inner = payload.startsWith('[') ? payload.slice(1, -1).split(/(?<=}),(?={)/) : [payload]
    return inner.map((text) => `${topic} ${text}`)
  })
}

test('history is published as the fleet says, and the ledger has all of it', async (t) => {
  const broker = await openBroker(t)
  const ledger = join(folder(t), 'acked.jsonl')
  const summary = await simulate(optionsFor(broker.url, { ledger }))
  const wanted = [...new Fleet(FLEET).publishes(START, START + 6 * HOUR)]
  assert.deepEqual(parts(broker.received).toSorted(), parts(wanted).toSorted())
  for (let i = 1; i <= 10; i += 1) {
    const topic = `fleet/demo/sim-${String(i).padStart(4, '0')}/readings`
    const mine = (all: string[]) => all.filter((text) => text.startsWith(topic))
    assert.deepEqual(mine(parts(broker.received)), mine(parts(wanted)), 'in its order')
  }
  const readings = wanted.reduce((sum, publish) => sum + publish.readings.length, 0)
  assert.equal(summary.acknowledged, readings)
  const poison = wanted.filter((publish) => publish.readings.length === 0).length
  assert.ok(poison > 0)
  assert.equal(summary.poison, poison)
  const noted = await Array.fromAsync(readLedger(ledger))
  assert.equal(noted.length, readings + poison)
  assert.equal(noted.filter(({ reading }) => reading !== undefined).length, readings)
})

test('a fleet goes on from where it was, once', async (t) => {
  const broker = await openBroker(t)
  const stateFile = join(folder(t), 'deep/sample.json')
  const run = (end: number) => simulate(optionsFor(broker.url, { stateFile, end }))
  await run(START + 2 * HOUR)
  assert.equal(readState(stateFile)?.publishedUntil, START + 2 * HOUR)
  const second = await run(START + 3 * HOUR)
  assert.equal(second.start, START + 2 * HOUR)
  const wanted = parts([...new Fleet(FLEET).publishes(START, START + 3 * HOUR)])
  assert.deepEqual(parts(broker.received).toSorted(), wanted.toSorted())

  const other = { ...FLEET, seed: 4 }
  const anew = await simulate(
    optionsFor(broker.url, { stateFile, fleet: other, end: START + HOUR }),
  )
  assert.equal(anew.start, START, 'another fleet begins anew')
  writeState(stateFile, { fleet: 'x', publishedUntil: 1 })
  writeFileSync(stateFile, '{"fleet":1}')
  await assert.rejects(run(START + HOUR), (error) => hasCode(error, 'simulate.badState'))
})

test('live readings come at their time, and an interrupt ends it in order', async (t) => {
  const broker = await openBroker(t)
  const stop = new AbortController()
  const start = Math.floor(Date.now() / 1_000) - 2 * HOUR
  const fleet = { ...FLEET, faults: {}, intervalSeconds: 1 }
  const ends = setTimeout(() => {
    stop.abort()
  }, 3_500)
  t.after(() => {
    clearTimeout(ends)
  })
  const summary = await simulate(
    optionsFor(broker.url, { fleet, start, end: Infinity, signal: stop.signal }),
  )
  assert.ok(summary.interrupted)
  const texts = parts(broker.received)
  assert.equal(summary.acknowledged, texts.length)
  assert.equal(new Set(texts).size, texts.length, 'history and live do not overlap')
  const seconds = new Set(texts.map((text) => /"at":"([^"]+)"/.exec(text)![1]!))
  assert.equal(seconds.size, texts.length / 10, 'nothing lies between them either')
  const newest = Date.parse([...seconds].toSorted().at(-1)!)
  assert.ok(Date.now() - newest < 1_500, 'it has caught up')
  assert.ok(newest <= Date.now(), 'it never runs ahead')
})

test('the registry knows the fleet as it is written for it', async (t) => {
  const metersFile = join(folder(t), 'meters.json')
  const fleet = new Fleet({ ...FLEET, meters: 100 })
  writeFileSync(metersFile, JSON.stringify(registeredMeters(fleet)))
  const channelsFile = join(import.meta.dirname, '../../config/channels.json')
  const registry = await loadRegistry({ metersFile, channelsFile })
  assert.equal(registry.meters().length, 100)
  for (const { meterId, rolloverAtWh } of fleet.meters) {
    const meter = registry.meter('demo', meterId)
    assert.equal(meter.expectedIntervalMicros, 60_000_000)
    assert.equal(meter.zone, 'Europe/Berlin')
    const register = registry.channel('demo', meterId, 'energy_register_wh')
    assert.equal(register.kind, 'cumulative')
    assert.equal(register.rolloverAt, rolloverAtWh)
    assert.equal(registry.channel('demo', meterId, 'export_total_wh').kind, 'cumulative')
    assert.equal(registry.channel('demo', meterId, 'power_w').unit, 'W')
  }
})

test('the command refuses what it cannot do, and tells what it did', async (t) => {
  const broker = await openBroker(t)
  const run = async (...args: string[]) => {
    let out = ''
    let err = ''
    const sink = (add: (text: string) => void) =>
      ({ write: (text: string) => (add(text), true) }) as unknown as NodeJS.WritableStream
    const code = await runCli(['simulate', ...args, '--url', broker.url], [register], {
      ...{ env: {}, terminal: false, setExitCode: () => undefined },
      ...{ stdout: sink((text) => (out += text)), stderr: sink((text) => (err += text)) },
      ...{ interrupted: new AbortController().signal, hurried: new AbortController().signal },
    })
    return { code, out, err }
  }
  const hour = ['--start', '2026-10-24T12:00:00Z', '--duration', '1h', '--speed', 'max']
  const done = await run('--meters', '5', ...hour, '--json')
  assert.equal(done.code, 0, done.err)
  assert.equal((JSON.parse(done.out) as { acknowledged: number }).acknowledged, 300)
  assert.equal(broker.received.length, 5, 'an hour of one meter is one publish')

  for (const wrong of [
    ['--faults', 'gremlins'],
    ['--faults', 'spikes=2'],
    ['--duration', '3 weeks'],
    ['--start', '2026-10-24 12:00:00'],
    ['--meters', '0'],
    ['--history', '1d', '--start', 'now'],
    ['--tenant', 'a/b'],
  ]) {
    const { code, err } = await run(...wrong)
    assert.equal(code, 2, wrong.join(' '))
    assert.ok(err.includes(wrong[0]!), err)
  }
  const early = await run('--start', '1999-01-01T00:00:00Z', '--duration', '1h', '--speed', 'max')
  assert.equal(early.code, 1)
  assert.match(early.err, /registers count from 2020/)
  const help = await run('--help')
  for (const fault of FAULT_NAMES) assert.ok(help.out.includes(`  ${fault} `), fault)
})
