import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { topicFilters, TopicPattern } from '../../src/bridge/topic-map.ts'
import { loadTopicMap } from '../../src/bridge/topic-map-file.ts'
import { readConfig } from '../../src/kernel/config.ts'
import { formatMicros } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { NOW, testDecoder, valuesOf } from '../support/decoder.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterloom-topic-map-'))
after(() => rmSync(folder, { recursive: true }))
const config = readConfig({})
const registry = await loadRegistry(config)
let count = 0

function load(...entries: readonly object[]) {
  const topicMapFile = join(folder, `${(count += 1)}.json`)
  writeFileSync(topicMapFile, JSON.stringify({ entries }))
  return loadTopicMap({ topicMapFile }, registry)
}

const entry = {
  name: 'mine',
  topic: 'site/{site}/{box}',
  tenant: '{site}',
  meterId: 'box-{box}',
  time: { pointer: '/t' },
  values: [{ pointer: '/p', channel: 'power_w' }],
}

async function read(entryFields: object, payload: string, topic = 'site/a/7') {
  const decoder = await testDecoder({
    registry,
    topicMap: await load({ ...entry, ...entryFields }),
  })
  const { readings, raw } = decoder.decode(topic, payload)
  const [reading] = readings
  return {
    meter: `${reading?.tenant ?? ''}/${reading?.meterId ?? ''}`,
    at: reading === undefined ? '' : formatMicros(reading.at),
    seq: reading?.seq,
    values: valuesOf(reading),
    reasons: raw.reasons,
    ignored: raw.ignored,
  }
}

describe('patterns of topics', () => {
  const kept = (pattern: string, topic: string) => {
    const names = new TopicPattern(pattern).match(topic)
    return names === undefined ? undefined : Object.fromEntries(names)
  }
  test('keep what they name, and fit as MQTT filters do', () => {
    assert.deepEqual(kept('a/{x}/+/{y}', 'a/1/2/3'), { x: '1', y: '3' })
    assert.deepEqual(kept('a/#', 'a/1/2/3'), {})
    assert.deepEqual(kept('a/#', 'a'), {})
    for (const topic of ['a/1/2', 'a/1/2/3/4', 'b/1/2/3', 'A/1/2/3']) {
      assert.equal(kept('a/{x}/+/{y}', topic), undefined, topic)
    }
    assert.equal(new TopicPattern('a/{x}/+/{y}').filter, 'a/+/+/+')
  })
  test('the filters to subscribe with are those that give readings', async () => {
    const map = await loadTopicMap(config, registry)
    assert.deepEqual(topicFilters(map), ['tele/+/SENSOR', '+/events/rpc', 'zigbee2mqtt/+'])
  })
})

describe('an entry', () => {
  test('names tenant and meter by what the topic keeps', async () => {
    const { meter, values } = await read({}, '{"t":1763600000,"p":5}')
    assert.equal(meter, 'a/box-7')
    assert.deepEqual(values, { power_w: 5 })
  })
  test('refuses a name that is none', async () => {
    const { reasons } = await read({}, '{"t":1763600000,"p":5}', 'site//7')
    assert.deepEqual(reasons, ['payload.badTopic'])
  })
  test('scales, and reads numbers in quotes only where it is told to', async () => {
    const value = { pointer: '/e', channel: 'energy_register_wh', unit: 'Wh', scale: 0.001 }
    const payload = '{"t":1763600000,"e":"12500"}'
    const told = await read({ values: [{ ...value, numericText: true }] }, payload)
    assert.deepEqual(told.values, { energy_register_wh: 12.5 })
    assert.deepEqual((await read({ values: [value] }, payload)).reasons, ['payload.badValue'])
    const hex = await read(
      { values: [{ ...value, numericText: true }] },
      '{"t":1763600000,"e":"0x1f"}',
    )
    assert.deepEqual(hex.reasons, ['payload.badValue'])
  })
  test('takes seq from where it says', async () => {
    const { seq } = await read({ seq: '/n' }, '{"t":1763600000,"p":5,"n":9}')
    assert.equal(seq, 9)
    const bad = await read({ seq: '/n' }, '{"t":1763600000,"p":5,"n":"9"}')
    assert.deepEqual(bad.reasons, ['payload.badSeq'])
  })
  test('of two lines for one channel the first that finds a value wins', async () => {
    const values = ['/new', '/old'].map((pointer) => ({ pointer, channel: 'power_w' }))
    assert.deepEqual((await read({ values }, '{"t":1763600000,"old":1}')).values, { power_w: 1 })
    const both = await read({ values }, '{"t":1763600000,"old":1,"new":2}')
    assert.deepEqual(both.values, { power_w: 2 })
  })
  test('a time without a zone needs one named', async () => {
    const payload = '{"t":"2026-07-01T12:00:00","p":5}'
    assert.deepEqual((await read({}, payload)).reasons, ['payload.noZone'])
    const time = { pointer: '/t', zone: 'Asia/Kolkata' }
    assert.equal((await read({ time }, payload)).at, '2026-07-01T06:30:00.000000Z')
  })
  test('the time of receipt, always or where there is none', async () => {
    const received = formatMicros(NOW)
    assert.equal((await read({ time: 'received' }, '{"t":1763600000,"p":5}')).at, received)
    const time = { pointer: '/t', missing: 'received' }
    assert.equal((await read({ time }, '{"p":5}')).at, received)
    assert.notEqual((await read({ time }, '{"t":1763600000,"p":5}')).at, received)
  })
  test('a message that is no object, or has a value of a wrong type, is refused', async () => {
    assert.deepEqual((await read({}, '5')).reasons, ['payload.notReading'])
    assert.deepEqual((await read({}, '[{"t":1763600000,"p":5}]')).reasons, ['payload.notReading'])
    assert.deepEqual((await read({}, '{"t":1763600000,"p":true}')).reasons, ['payload.badValue'])
    assert.deepEqual((await read({}, '{"t":1763600000,"p":[1]}')).reasons, ['payload.badValue'])
    assert.deepEqual((await read({}, '{"t":true,"p":1}')).reasons, ['payload.badTime'])
  })
})

describe('what is wrong in the file is refused by entry, value and what it must be', () => {
  const wrong: Record<string, object> = {
    'entries[0].name is missing': { name: undefined },
    'entries[0].topic is "a/{x}/{x}", but must be a pattern that uses': { topic: 'a/{x}/{x}' },
    'entries[0].topic is "a/b+", but must be made of levels': { topic: 'a/b+' },
    'entries[0].topic is "a/#/b", but must be made of levels': { topic: 'a/#/b' },
    'entries[0].topic is "a/#", but must be without #': { topic: 'a/#' },
    'entries[0].tenant is "{place}", but must be made of what is kept here, which is {site}, {box}':
      {
        tenant: '{place}',
      },
    'entries[0].time is missing': { time: undefined },
    'entries[0].time.pointer is "t", but must be a JSON pointer': { time: { pointer: 't' } },
    'entries[0].time.zone is "Mars", but must be a time zone': {
      time: { pointer: '/t', zone: 'Mars' },
    },
    'entries[0].time.repeated is "last"': { time: { pointer: '/t', repeated: 'last' } },
    'entries[0].seq is "/*", but must be a JSON pointer without stars': { seq: '/*' },
    'entries[0].values is [], but must be a list of at least one': { values: [] },
    'entries[0].values[0].channel is "a_{1}", but must be made of what is kept': {
      values: [{ pointer: '/a', channel: 'a_{1}' }],
    },
    'entries[0].values[0].scale is 0': { values: [{ pointer: '/a', channel: 'a', scale: 0 }] },
    'entries[0].values[0].unit is "kWh", but must be \'Wh\', which CHANNELS_FILE has of a_total_wh':
      {
        values: [{ pointer: '/a', channel: 'a_total_wh', unit: 'kWh' }],
      },
    'entries[0].values[0].unit is missing, but must be said': {
      values: [{ pointer: '/a', channel: 'a_total_wh' }],
    },
    'entries[0].value is [], but must be left out': { value: [] },
  }
  for (const [message, fields] of Object.entries(wrong)) {
    test(message, () =>
      assert.rejects(load({ ...entry, ...fields }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'file.badField')
        assert.ok(error.message.includes(message), error.message)
        return true
      }),
    )
  }
  test('two entries of one name', () =>
    assert.rejects(load(entry, entry), /entries\[1\]\.name is "mine", but must be the name of one/))
})
