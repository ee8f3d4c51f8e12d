import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readConfig } from '../../src/kernel/config.ts'
import { seconds } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterloom-registry-'))
after(() => rmSync(folder, { recursive: true }))

const committed = readConfig({})
let count = 0
function file(content: unknown): string {
  const path = join(folder, `${(count += 1)}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const load = (meters: unknown, channels?: unknown) =>
  loadRegistry({
    metersFile: file(meters),
    channelsFile: channels === undefined ? committed.channelsFile : file(channels),
  })

describe('the committed files', () => {
  test('know what usual channels are', async () => {
    const registry = await loadRegistry(committed)
    const kind = (channel: string) => {
      const spec = registry.channel('demo', 'm-1', channel)
      return `${spec.kind} ${spec.unit}`
    }
    assert.equal(kind('power_w'), 'gauge W')
    assert.equal(kind('energy_register_wh'), 'cumulative Wh')
    assert.equal(kind('switch_0_total_wh'), 'cumulative Wh')
    assert.equal(kind('energy_2_total_kwh'), 'cumulative kWh')
    assert.equal(kind('solar_wh'), 'interval Wh')
    assert.equal(kind('em_0_a_voltage_v'), 'gauge V')
    assert.equal(kind('whatever'), 'gauge ')
    assert.equal(registry.channel('demo', 'm-1', 'solar_wh').label, 'start')
  })
  test('have the defaults of a meter that is not registered', async () => {
    const registry = await loadRegistry(committed)
    assert.deepEqual(registry.meters(), [])
    assert.deepEqual(registry.meter('demo', 'm-1'), {
      tenant: 'demo',
      meterId: 'm-1',
      zone: 'UTC',
      place: undefined,
      expectedIntervalMicros: undefined,
      disorderMicros: seconds(120),
      silentAfterIntervals: 3,
      registered: false,
    })
  })
})

describe('a meter of the file', () => {
  const meters = {
    defaults: { zone: 'Europe/Berlin', disorderSeconds: 60 },
    meters: [
      {
        tenant: 'demo',
        meterId: 'm-1',
        place: 'cellar',
        expectedIntervalSeconds: 900,
        channels: [
          {
            channel: 'main_*',
            kind: 'cumulative',
            unit: 'kWh',
            rolloverAt: 1e5,
            gapSecondsMax: 60,
          },
          { channel: 'power_w', kind: 'interval', unit: 'Wh', label: 'end', lengthSeconds: 900 },
        ],
      },
      { tenant: 'demo', meterId: 'm-2', zone: '+05:30', disorderSeconds: 0 },
    ],
  }
  test('has what it says, and the defaults for the rest', async () => {
    const registry = await load(meters)
    const { registered, ...first } = registry.meter('demo', 'm-1')
    assert.equal(registered, true)
    assert.deepEqual(first, {
      tenant: 'demo',
      meterId: 'm-1',
      zone: 'Europe/Berlin',
      place: 'cellar',
      expectedIntervalMicros: seconds(900),
      disorderMicros: seconds(60),
      silentAfterIntervals: 3,
    })
    const second = registry.meter('demo', 'm-2')
    assert.deepEqual([second.zone, second.disorderMicros], ['+05:30', 0])
    assert.deepEqual(
      registry.meters().map(({ meterId }) => meterId),
      ['m-1', 'm-2'],
    )
    assert.equal(registry.meter('other', 'm-1').registered, false)
  })
  test('has its own channels before those of all', async () => {
    const registry = await load(meters)
    assert.deepEqual(registry.channel('demo', 'm-1', 'main_import'), {
      kind: 'cumulative',
      unit: 'kWh',
      label: 'start',
      lengthMicros: undefined,
      rolloverAt: 1e5,
      gapMicrosMax: seconds(60),
    })
    const own = registry.channel('demo', 'm-1', 'power_w')
    assert.deepEqual([own.kind, own.label, own.lengthMicros], ['interval', 'end', seconds(900)])
    assert.equal(registry.channel('demo', 'm-2', 'power_w').kind, 'gauge')
    assert.equal(registry.channel('demo', 'm-1', 'voltage_v').unit, 'V')
  })
})

test('the first pattern that fits decides, and dots are only dots', async () => {
  const channels = [
    { channel: 'a.b*', kind: 'gauge', unit: 'x' },
    { channel: 'a*', kind: 'gauge', unit: 'y' },
  ]
  const registry = await load({ meters: [] }, { channels })
  const unit = (channel: string) => registry.channel('t', 'm', channel).unit
  assert.deepEqual(['a.bc', 'aXbc', 'b'].map(unit), ['x', 'y', ''])
})

describe('what is wrong is refused by file, place, value and what it must be', () => {
  const meter = { tenant: 'demo', meterId: 'm-1' }
  const wrongMeters: Record<string, unknown> = {
    'meters is missing, but must be a list': {},
    'the whole is [], but must be an object': [],
    'meters[0].tenant is missing': { meters: [{ meterId: 'm-1' }] },
    'meters[0].meterId is "a/b", but must be a name': { meters: [{ ...meter, meterId: 'a/b' }] },
    'meters[0].zone is "Berlin", but must be a time zone': {
      meters: [{ ...meter, zone: 'Berlin' }],
    },
    'meters[0].disorderSeconds is -1': { meters: [{ ...meter, disorderSeconds: -1 }] },
    'meters[0].silentAfterIntervals is "3"': { meters: [{ ...meter, silentAfterIntervals: '3' }] },
    'meters[0].intervall is 60, but must be left out': { meters: [{ ...meter, intervall: 60 }] },
    'meters[1].meterId is "m-1", but must be given once': { meters: [meter, meter] },
    'defaults.expectedIntervalSeconds is 0': {
      defaults: { expectedIntervalSeconds: 0 },
      meters: [],
    },
  }
  const channel = (fields: object) => ({ channels: [{ channel: 'x', kind: 'gauge', ...fields }] })
  const wrongChannels: Record<string, unknown> = {
    'channels is missing, but must be a list': {},
    'channels[0].kind is "counter", but must be one of gauge': channel({ kind: 'counter' }),
    'channels[0].label is missing, but must be one of start, end': channel({ kind: 'interval' }),
    'channels[0].rolloverAt is 10, but must be left out': channel({ rolloverAt: 10 }),
    'channels[0].lengthSeconds is 0': channel({ kind: 'interval', label: 'end', lengthSeconds: 0 }),
    'channels[1].channel is "x", but must be named once': {
      channels: [
        { channel: 'x', kind: 'gauge' },
        { channel: 'x', kind: 'cumulative' },
      ],
    },
  }
  for (const [message, content] of Object.entries(wrongMeters)) {
    test(message, () => assert.rejects(load(content), refusal(message)))
  }
  for (const [message, content] of Object.entries(wrongChannels)) {
    test(message, () => assert.rejects(load({ meters: [] }, content), refusal(message)))
  }
  function refusal(message: string) {
    return (error: Error & { code?: string }) => {
      assert.equal(error.code, 'file.badField')
      assert.ok(error.message.includes(`.json: ${message}`), error.message)
      return true
    }
  }

  test('a file that is not there or is no JSON', async () => {
    const metersFile = join(folder, 'none.json')
    const { channelsFile } = committed
    await assert.rejects(loadRegistry({ metersFile, channelsFile }), {
      code: 'file.unreadable',
      message: /none\.json cannot be read .*METERS_FILE/,
    })
    await assert.rejects(load('{"meters":['), { code: 'file.notJson' })
  })
})
