import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isName } from '../../src/kernel/ids.ts'
import { NOW, testDecoder, valuesOf } from '../support/decoder.ts'
import { testRegistry } from '../support/registry.ts'

const TOPIC = 'fleet/demo/m-1/readings'
const AT = '"at":"2026-11-20T00:00:00Z"'
const AT_MICROS = 1_795_132_800_000_000
const decoder = await testDecoder()
const one = (text: string) => {
  const { readings, deadLetters, ignored } = decoder.decode(TOPIC, text)
  assert.deepEqual(
    deadLetters.map(({ detail }) => detail),
    [],
  )
  assert.equal(ignored, 0)
  assert.equal(readings.length, 1)
  return readings[0]!
}

describe('readings in JSON', () => {
  test('the short form: every other key is a channel', () => {
    const { key } = decoder.decode(TOPIC, `{${AT},"power_w":512.5}`).raw.readings[0]!
    assert.equal(String(key), 'demo/m-1')
    const reading = one(`{${AT},"power_w":512.5,"seq":7,"tür auf":-0.5,"quality":"ESTIMATED"}`)
    assert.deepEqual(JSON.parse(JSON.stringify(reading)), {
      tenant: 'demo',
      meterId: 'm-1',
      at: AT_MICROS,
      seq: 7,
      measurements: [
        { channel: 'power_w', value: 512.5, quality: 'ESTIMATED' },
        { channel: 'tür auf', value: -0.5, quality: 'ESTIMATED' },
      ],
    })
  })
  test('the long form, where at, seq and quality may be channels too', () => {
    const reading = one(`{${AT},"measurements":{"power_w":1,"seq":2,"at":3,"measurements":4}}`)
    assert.equal(reading.seq, null)
    assert.deepEqual(valuesOf(reading), { power_w: 1, seq: 2, at: 3, measurements: 4 })
  })
  test('a value with a quality of its own, in both forms', () => {
    const value = '"power_w":{"value":1,"quality":"SUSPECT"},"voltage_v":230'
    for (const text of [`{${AT},${value}}`, `{${AT},"measurements":{${value}}}`]) {
      assert.deepEqual(
        one(text).measurements.map(({ quality }) => quality),
        ['SUSPECT', 'MEASURED'],
      )
    }
  })
  test('null is no reading of that channel; nothing but nulls is ignored and counted', () => {
    assert.deepEqual(valuesOf(one(`{${AT},"power_w":null,"voltage_v":230}`)), { voltage_v: 230 })
    for (const text of [`{${AT},"power_w":null}`, `[{${AT},"power_w":{"value":null}}]`]) {
      const { readings, deadLetters, ignored } = decoder.decode(TOPIC, text)
      assert.deepEqual([readings.length, deadLetters.length, ignored], [0, 0, 1])
    }
  })
  test('blanks, escapes and any order of keys', () => {
    const reading = one(`\n{ "power\\u005fw" : 5e-1 , "\\u0061t" : 1795132800 }\r\n`)
    assert.equal(reading.at, AT_MICROS)
    assert.deepEqual(valuesOf(reading), { power_w: 0.5 })
  })
  test('a reading at the edge of the future, of the value and of the size is taken', () => {
    one(`{"at":${NOW + 300e6},"power_w":1e15}`)
    one(`{${AT},"power_w":1}`.padEnd(65_536))
    const channels = Array.from({ length: 1_024 }, (_, i) => `"c${i}":${i}`).join()
    assert.equal(one(`{${AT},${channels}}`).measurements.length, 1_024)
  })
})

describe('batches', () => {
  test('a bad element is dead-lettered alone, with its own bytes; the rest goes on', () => {
    const bad = ' {"at":"yesterday", "power_w":1} '
    const elements = [1, 2, 3].map((value) => `{"at":${AT_MICROS + value},"power_w":${value}}`)
    const text = `[${elements[0]!},${bad},${elements[1]!},7,${elements[2]!},{${AT},"a":1,"a":2}]`
    const { readings, deadLetters, raw } = decoder.decode(TOPIC, text)
    assert.deepEqual(readings.map(valuesOf), [{ power_w: 1 }, { power_w: 2 }, { power_w: 3 }])
    assert.deepEqual(raw.reasons, ['payload.badTime', 'payload.notReading', 'payload.duplicateKey'])
    assert.deepEqual(
      deadLetters.map(({ element, bytes }) => [element, bytes.toString()]),
      [
        [1, bad.trim()],
        [3, '7'],
        [5, `{${AT},"a":1,"a":2}`],
      ],
    )
    for (const letter of deadLetters) assert.equal(letter.length, Buffer.byteLength(text))
  })

  test('every element is a reading, a dead letter, or ignored', () => {
    const value = fc.oneof(
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.json().map((t): unknown => JSON.parse(t)),
    )
    const names = fc.constantFrom(
      'at',
      'seq',
      'quality',
      'measurements',
      'power_w',
      '__proto__',
      'a',
    )
    const element = fc.oneof(
      fc.json({ maxDepth: 2 }).map((t): unknown => JSON.parse(t)),
      fc.dictionary(names, value),
      fc.dictionary(names, value).map((rest) => ({ at: 1_763_600_000, power_w: 1, ...rest })),
    )
    fc.assert(
      fc.property(fc.array(element, { minLength: 1 }), (elements) => {
        const { readings, deadLetters, ignored } = decoder.decode(TOPIC, JSON.stringify(elements))
        assert.equal(readings.length + deadLetters.length + ignored, elements.length)
        for (const letter of deadLetters) assert.notEqual(letter.reason, 'payload.unforeseen')
      }),
      { numRuns: 300 },
    )
  })
})

describe('readings in Avro', () => {
  const quality = fc.constantFrom('MEASURED', 'ESTIMATED', 'SUSPECT', 'BAD')
  const channel = fc.string({ unit: 'grapheme' }).filter((n) => isName(n) && !(n in {}))
  test('come out as they went in', () => {
    const number = fc.double({ noNaN: true, min: -1e15, max: 1e15 })
    const measurement = fc.record({ channel, value: number, quality })
    const measurements = fc.uniqueArray(measurement, { minLength: 1, selector: (m) => m.channel })
    const reading = fc.record({
      at: fc.integer({ min: 1e14, max: NOW }),
      // Avro's own bounds leave the outermost safe integers out.
      seq: fc.option(fc.integer({ min: 2 - 2 ** 53, max: 2 ** 53 - 2 })),
      measurements,
    })
    fc.assert(
      fc.property(reading, (parts) => {
        const whole = { tenant: 'demo', meterId: 'm-1', ...parts }
        const payload = decoder.codecs.reading.encode(whole)
        const { raw, deadLetters } = decoder.decode(TOPIC, payload)
        assert.deepEqual(
          deadLetters.map(({ detail }) => detail),
          [],
        )
        assert.deepEqual(raw.readings[0]?.value, payload)
      }),
    )
  })
})

describe('anything else', () => {
  test('bytes of any kind, on any topic, never throw and are never lost', () => {
    const topic = fc.constantFrom(TOPIC, 'tele/x/SENSOR', 'x/events/rpc', 'zigbee2mqtt/x', 'y')
    const avro = fc.uint8Array().map((rest) => Uint8Array.from([0, 0, 0, 0, 1, ...rest]))
    const bytes = fc.oneof(
      fc.uint8Array(),
      avro,
      fc.json().map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(topic, bytes, (mqttTopic, payload) => {
        const { readings, deadLetters, ignored } = decoder.decode(mqttTopic, Buffer.from(payload))
        assert.ok(readings.length + deadLetters.length + ignored >= 1)
        for (const letter of deadLetters) assert.notEqual(letter.reason, 'payload.unforeseen')
      }),
      { numRuns: 3_000 },
    )
  })

  test('REGISTERED_ONLY refuses a meter that the registry does not know', async () => {
    const registry = testRegistry([{ meterId: 'm-1' }])
    const strict = await testDecoder({ registeredOnly: true, registry, topicMap: { entries: [] } })
    assert.equal(strict.decode(TOPIC, `{${AT},"power_w":1}`).readings.length, 1)
    const { raw } = strict.decode('fleet/demo/m-2/readings', `{${AT},"power_w":1}`)
    assert.deepEqual(raw.reasons, ['payload.unregistered'])
  })

  test('a mistake in the decoder costs no message', () => {
    // Forced: a principal that breaks stands for any error that nobody has foreseen.
    const principal = {
      name: 'x',
      mayPublish: () => {
        throw new TypeError('broken')
      },
    }
    const { raw, deadLetters } = decoder.decode(TOPIC, `{${AT},"power_w":1}`, { principal })
    assert.deepEqual(raw.reasons, ['payload.unforeseen'])
    assert.match(deadLetters[0]!.detail, /broken/)
  })
})
