import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { minutes, seconds } from '../../src/kernel/time.ts'
import { QUALITIES } from '../../src/schemas/records.ts'
import type { Reading } from '../../src/schemas/records.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { drive } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'

const WIDTHS = { '1m': minutes(1), '15m': minutes(15), '1h': minutes(60) } as const

interface Event {
  readonly minute: number
  readonly second: number
  readonly lateBy: number
  readonly value: number
  readonly seq: number
  readonly quality: number
}

// Few minutes and seconds, so that identities meet: duplicates and corrections come by themselves.
const event: fc.Arbitrary<Event> = fc.record({
  minute: fc.nat(150),
  second: fc.constantFrom(0, 0, 0, 1, 59),
  // In minutes: a late one still finds its windows, since the horizon is an hour.
  lateBy: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(55) }),
  value: fc.integer({ min: -1_000, max: 1_000 }),
  seq: fc.nat(2),
  quality: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
})

function inOrderOfSending(events: readonly Event[]): Reading[] {
  return events
    .map((e, i) => ({ e, i, due: e.minute + e.lateBy }))
    .sort((a, b) => a.due - b.due || a.i - b.i)
    .map(({ e }) =>
      aReading('m', 'power_w', START + minutes(e.minute) + seconds(e.second), e.value, {
        seq: e.seq,
        quality: QUALITIES[e.quality]!,
      }),
    )
}

interface Stats {
  count: number
  sum: number
  min: number
  max: number
  first: number
  last: number
}

/** Every window computed again from the winners of all identities. */
function naive(readings: readonly Reading[], width: number): Map<number, Stats> {
  const winners = new Map<number, Reading>()
  const rank = (r: Reading) => [r.seq!, -QUALITIES.indexOf(r.measurements[0]!.quality)] as const
  for (const reading of readings) {
    const known = winners.get(reading.at)
    if (known !== undefined) {
      const [seqA, qualityA] = rank(known)
      const [seqB, qualityB] = rank(reading)
      if (seqA > seqB || (seqA === seqB && qualityA > qualityB)) continue
    }
    winners.set(reading.at, reading)
  }
  const windows = new Map<number, Stats>()
  for (const { at, measurements } of [...winners.values()].sort((a, b) => a.at - b.at)) {
    const { value, quality } = measurements[0]!
    if (quality === 'BAD') continue
    const start = Math.floor(at / width) * width
    const w = windows.get(start)
    if (w === undefined) {
      windows.set(start, {
        count: 1,
        sum: value,
        min: value,
        max: value,
        first: value,
        last: value,
      })
      continue
    }
    w.count++
    w.sum += value
    w.min = Math.min(w.min, value)
    w.max = Math.max(w.max, value)
    w.last = value
  }
  return windows
}

function statsOf(rows: readonly Row[]): Map<number, Stats> {
  const found = new Map<number, Stats>()
  for (const row of rows) {
    if (row['count'] === 0) continue
    const of = (name: string) => row[name] as number
    found.set(of('ts'), {
      count: of('count'),
      sum: of('sum'),
      min: of('min'),
      max: of('max'),
      first: of('first'),
      last: of('last'),
    })
  }
  return found
}

const byStart = (windows: Map<number, Stats>) => [...windows].sort(([a], [b]) => a - b)

test('late, repeated and corrected readings end in the windows of their winners', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 200 }), async (events) => {
      const readings = inOrderOfSending(events)
      const driver = drive({ batchRecords: 13 })
      driver.append(readings)
      // Closes all windows; a BAD reading enters none.
      driver.append([aReading('m', 'power_w', START + minutes(400), 0, { seq: 0, quality: 'BAD' })])
      await driver.run()
      driver.advanceAppendTime(minutes(1))
      await driver.run()
      assert.equal(driver.counts[0]!.beyondHorizon, 0)
      for (const [width, micros] of Object.entries(WIDTHS)) {
        const rows = driver.rows('windows').filter((row) => row['width'] === width)
        assert.deepEqual(byStart(statsOf(rows)), byStart(naive(readings, micros)), width)
      }
    }),
    { numRuns: 60 },
  )
})

test('a window that loses its last sample says so once it was known, and only then', async () => {
  const driver = drive()
  const at = START + minutes(3)
  driver.append([aReading('m', 'power_w', at, 5), aReading('m', 'power_w', at + minutes(10), 5)])
  await driver.run()
  driver.append([
    aReading('m', 'power_w', at, 5, { seq: 1, quality: 'BAD' }),
    // Comes to a closed window and leaves it again before anybody was told of it.
    aReading('m', 'power_w', at + minutes(1), 7),
    aReading('m', 'power_w', at + minutes(1), 7, { seq: 1, quality: 'BAD' }),
  ])
  await driver.run()
  driver.advanceAppendTime(seconds(10))
  await driver.run()
  const minute = (start: number) =>
    driver.emitted
      .get('windows')!
      .filter((row) => row['width'] === '1m' && row['ts'] === start)
      .map((row) => row['count'])
  assert.deepEqual(minute(at), [1, 0])
  assert.deepEqual(minute(at + minutes(1)), [])
})

test('restatements wait for the next ten seconds of append time, and come as one', async () => {
  const driver = drive()
  const at = START + minutes(3)
  driver.append([aReading('m', 'power_w', at, 5), aReading('m', 'power_w', at + minutes(10), 5)])
  await driver.run()
  const counts = () =>
    driver.emitted
      .get('windows')!
      .filter((row) => row['width'] === '1m' && row['ts'] === at)
      .map((row) => [row['count'], row['revision']])
  driver.append([1, 2, 3].map((s) => aReading('m', 'power_w', at + seconds(s), 5)))
  driver.advanceAppendTime(seconds(9))
  await driver.run()
  assert.deepEqual(counts(), [[1, 1]])
  driver.advanceAppendTime(seconds(1))
  await driver.run()
  // The record with offset 4 was the last that contributed; the ticks only showed the time.
  assert.deepEqual(counts(), [
    [1, 1],
    [4, 4],
  ])
})
