import assert from 'node:assert/strict'
import test from 'node:test'
import { minutes } from '../../src/kernel/time.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { drive } from '../support/drive.ts'
import { START } from '../support/readings.ts'

const codecs = await loadCodecs()
const key = Buffer.from('demo/m')

function reading(values: Readonly<Record<string, number>>, minute = 0): Reading {
  const measurements = Object.entries(values).map(([channel, value]) => ({
    channel,
    value,
    quality: 'MEASURED' as const,
  }))
  return { tenant: 'demo', meterId: 'm', at: START + minutes(minute), seq: null, measurements }
}

test('of a damaged record nothing is taken in, and the next one is', async () => {
  const driver = drive()
  const whole = codecs.reading.encode(reading({ a_w: 1, b_w: 2 }))
  for (let length = 0; length < whole.length; length++) {
    driver.log.appendNow('readings', [{ key, value: whole.subarray(0, length) }])
  }
  driver.log.appendNow('readings', [{ key, value: null }])
  driver.log.appendNow('readings', [{ key: Buffer.from('demo/other'), value: whole }])
  driver.log.appendNow('readings', [{ key: null, value: whole }])
  await driver.run()
  assert.deepEqual(driver.rows('readings'), [])
  assert.equal(driver.counts[0]!.unreadable, whole.length + 3)
  driver.log.appendNow('readings', [{ key, value: whole }])
  await driver.run()
  assert.deepEqual(
    driver.rows('readings').map((row) => row['channel']),
    ['a_w', 'b_w'],
  )
})

test('a meter may name a thousand channels, in any order', async () => {
  const driver = drive()
  const names = Array.from({ length: 1_000 }, (_, i) => `c${(i * 7_919) % 1_000}_w`)
  for (const [minute, order] of [names, names.toReversed(), names].entries()) {
    driver.append([reading(Object.fromEntries(order.map((name) => [name, minute])), minute)])
  }
  await driver.run()
  assert.equal(driver.rows('readings').length, 3_000)
  assert.equal(new Set(driver.rows('readings').map((row) => row['channel'])).size, 1_000)
})

test('a value that is no number is stored as BAD, and in no window', async () => {
  const driver = drive()
  driver.append([
    reading({ a_w: NaN, b_w: 5 }),
    reading({ b_w: Infinity }, 1),
    reading({ b_w: 5 }, 90),
  ])
  await driver.run()
  assert.equal(driver.counts[0]!.bad, 2)
  const sums = driver.rows('windows').filter((row) => row['width'] === '15m')
  assert.deepEqual(
    sums.map((row) => [row['channel'], row['sum'], row['count']]),
    [['b_w', 5, 1]],
  )
})

test('windows that one record closes come by series, width and start', async () => {
  const driver = drive()
  driver.append([reading({ z_w: 1, a_w: 1 }), reading({ z_w: 1, a_w: 1 }, 16)])
  driver.append([reading({ z_w: 1 }, 300)])
  await driver.run()
  const closed = driver.emitted
    .get('windows')!
    .slice(-8)
    .map((row) => [((row['ts'] as number) - START) / minutes(1), row['width'], row['channel']])
  assert.deepEqual(closed, [
    [16, '1m', 'a_w'],
    [0, '15m', 'a_w'],
    [15, '15m', 'a_w'],
    [0, '1h', 'a_w'],
    [16, '1m', 'z_w'],
    [0, '15m', 'z_w'],
    [15, '15m', 'z_w'],
    [0, '1h', 'z_w'],
  ])
})
