import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { badPayloads } from '../support/bad-payloads.ts'
import { NOW, testDecoder } from '../support/decoder.ts'

// Goal: whatever a device sends wrong becomes exactly one dead letter that says what was wrong,
// whose and with which bytes, and nothing else.

const tenant = 'demo'
const foreignMeterId = 'm-2'
const principal = { name: 'device-1', mayPublish: (_: string, id: string) => id !== foreignMeterId }
const options = { tenant, meterId: 'm-1', foreignMeterId, now: NOW, maxAgeDays: 400 }
const table = badPayloads(options)

test('the table has at least 200 kinds, each named once', () => {
  assert.ok(table.length >= 200, `only ${table.length}`)
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length)
})

test('each bad payload gives one dead letter with the right reason', async () => {
  const decoder = await testDecoder({ maxAgeDays: options.maxAgeDays })
  const wrong: string[] = []
  for (const { name, topic, payload, reason } of table) {
    const { readings, deadLetters, ignored, raw } = decoder.decode(topic, payload, { principal })
    const found = deadLetters.map((letter) => `${letter.reason} (${letter.detail})`).join()
    const isRight =
      readings.length === 0 &&
      ignored === 0 &&
      raw.reasons.length === 1 &&
      raw.reasons[0] === reason
    if (!isRight) wrong.push(`${name.slice(0, 100)}: ${readings.length} readings, ${found}`)
    const [letter] = deadLetters
    assert.ok(letter, name)
    assert.equal(letter.reason, raw.reasons[0])
    assert.equal(letter.length, payload.length)
    assert.equal(letter.sha256, createHash('sha256').update(payload).digest('hex'))
    if (letter.element === null) assert.deepEqual(letter.bytes, payload.subarray(0, 65_536))
    assert.ok(
      letter.detail.length < 600,
      `${name.slice(0, 100)}: a detail of ${letter.detail.length}`,
    )
  }
  assert.deepEqual(wrong, [])
})

test('MAX_AGE_DAYS that is not set lets history in', async () => {
  const decoder = await testDecoder()
  const old = table.filter(({ reason }) => reason === 'payload.tooOld')
  assert.notEqual(old.length, 0)
  for (const { topic, payload } of old) {
    assert.equal(decoder.decode(topic, payload).readings.length, 1)
  }
})

test("all reasons but the decoder's own failure and those of settings are in it", async () => {
  const { payloadErrors } = await import('../../src/bridge/formats/errors.ts')
  const elsewhere = ['payload.unregistered', 'payload.noSuchLocalTime', 'payload.unforeseen']
  const all = Object.keys(payloadErrors).map((name) => `payload.${name}`)
  const tried = new Set([...table.map(({ reason }) => reason), ...elsewhere])
  assert.deepEqual(
    all.filter((reason) => !tried.has(reason)),
    [],
  )
})
