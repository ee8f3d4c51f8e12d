import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { minutes } from '../../src/kernel/time.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { drive, driveAlong, STRAIGHT } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'

const TOP = 1_000_000
const CHANNEL = 'energy_register_wh'

interface Step {
  /** Minutes since the sample before. */
  readonly gap: number
  readonly used: number
  readonly lateBy: number
  readonly kind: 'good' | 'reset' | 'glitch'
}

const step: fc.Arbitrary<Step> = fc.record({
  gap: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(1, 5) },
    { weight: 2, arbitrary: fc.integer({ min: 20, max: 200 }) },
    { weight: 1, arbitrary: fc.constantFrom(1_499, 1_500, 1_501, 4_000) },
  ),
  used: fc.nat(500),
  lateBy: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(50) }),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('good' as const) },
    { weight: 1, arbitrary: fc.constant('reset' as const) },
    { weight: 1, arbitrary: fc.constant('glitch' as const) },
  ),
})

/**
 * The readings in the order of their sending, and what was really used between the first and the
 * last.
 */
function truth(begin: number, steps: readonly Step[]): { readings: Reading[]; usedWh: number } {
  const sent: { due: number; reading: Reading }[] = []
  let minute = 0
  let register = begin
  let usedWh = 0
  let before: Step['kind'] = 'good'
  const send = (value: number, lateBy: number) => {
    const reading = aReading('m', CHANNEL, START + minutes(minute), value)
    sent.push({ due: minute + lateBy, reading })
  }
  send(register, 0)
  for (const { gap, used, lateBy, kind } of steps) {
    minute += gap
    // What falls is told by the sample after it, so that one stands between two that fall.
    const glitch: boolean = kind === 'glitch' && before === 'good' && register > 1_000
    // And near its top a register that falls has rolled over.
    const reset: boolean =
      kind === 'reset' && before === 'good' && register > 1_000 && register < 0.8 * TOP
    // What has settled behind the horizon stays: the sample that decides must not be late.
    const late = before === 'good' ? lateBy : 0
    before = glitch ? 'glitch' : reset ? 'reset' : 'good'
    if (glitch) {
      send(0, late)
      continue
    }
    if (reset) {
      register = used
      usedWh += used
    } else {
      register += used
      usedWh += used
      if (register >= TOP) register -= TOP
    }
    send(register, late)
  }
  minute += 5
  // What the last one leaves undecided, these decide.
  for (let i = 0; i < 3; i++, minute++) send(register, 0)
  sent.sort((a, b) => a.due - b.due)
  return { readings: sent.map(({ reading }) => reading), usedWh }
}

test('sums of every width are what the register has counted', async () => {
  const begin = fc.oneof(fc.constant(TOP - 2_000), fc.integer({ min: 2_000, max: 50_000 }))
  await fc.assert(
    fc.asyncProperty(begin, fc.array(step, { maxLength: 80 }), async (from, steps) => {
      const { readings, usedWh } = truth(from, steps)
      const driver = drive({ batchRecords: 11 })
      driver.append(readings)
      const end = Math.max(...readings.map((reading) => reading.at))
      // The meter goes on by another channel, so that the register's windows close.
      driver.append([aReading('m', 'power_w', end + minutes(200), 1)])
      await driver.run()
      driver.advanceAppendTime(minutes(1))
      await driver.run()
      assert.equal(driver.counts[0]!.beyondHorizon, 0)
      for (const width of ['1m', '15m', '1h']) {
        const energies = driver
          .rows('windows')
          .filter((row) => row['width'] === width && row['channel'] === CHANNEL)
          .map((row) => row['energy_wh'] as number)
        const sum = energies.reduce((a, b) => a + b, 0)
        assert.ok(Math.abs(sum - usedWh) < 1e-6, `${width}: ${sum} Wh, but ${usedWh} were used`)
      }
    }),
    { numRuns: 150 },
  )
})

const quarter = (n: number) => START + minutes(15 * n)

/** Energy and flag of the quarter hours, by their number since the beginning. */
async function quarters(readings: readonly Reading[]) {
  const driver = await driveAlong([readings, { appendMicros: minutes(1) }], STRAIGHT)
  return new Map(
    driver
      .rows('windows')
      .filter((row) => row['width'] === '15m' && row['channel'] === CHANNEL)
      .map((row) => [
        ((row['ts'] as number) - START) / minutes(15),
        [row['count'], Math.round((row['energy_wh'] as number) * 1e6) / 1e6, row['estimated']],
      ]),
  )
}

test('energy runs evenly between two samples, in windows without a sample too', async () => {
  const rows = await quarters([
    aReading('m', CHANNEL, quarter(0), 0),
    aReading('m', CHANNEL, quarter(3), 300),
    aReading('m', 'power_w', quarter(40), 1),
  ])
  assert.deepEqual(
    [...rows],
    [
      [0, [1, 100, false]],
      [1, [0, 100, false]],
      [2, [0, 100, false]],
      [3, [1, 0, false]],
    ],
  )
})

test(
  'a gap above the maximum is flagged; one of more than 25 hours counts where it ' + 'ends',
  async () => {
    const spread = await quarters([
      aReading('m', CHANNEL, quarter(0), 0),
      aReading('m', CHANNEL, quarter(5), 500),
      aReading('m', 'power_w', quarter(40), 1),
    ])
    assert.deepEqual(spread.get(4), [0, 100, true])
    const whole = await quarters([
      aReading('m', CHANNEL, quarter(0), 0),
      aReading('m', CHANNEL, quarter(101), 500),
      aReading('m', 'power_w', quarter(140), 1),
    ])
    assert.deepEqual(
      [...whole],
      [
        [0, [1, 0, false]],
        [101, [1, 500, true]],
      ],
    )
  },
)

test('a late sample moves energy between windows, and creates none', async () => {
  const rows = await quarters([
    aReading('m', CHANNEL, quarter(0), 0),
    aReading('m', CHANNEL, quarter(2), 200),
    aReading('m', CHANNEL, quarter(4), 200),
    aReading('m', CHANNEL, quarter(1), 150),
    aReading('m', 'power_w', quarter(40), 1),
  ])
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => rows.get(n)),
    [
      [1, 150, false],
      [1, 50, false],
      [1, 0, false],
      [0, 0, false],
    ],
  )
})
