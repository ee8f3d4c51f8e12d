import assert from 'node:assert/strict'
import test from 'node:test'
import { FAULTS } from './dice.ts'
import { simulateMany } from './many.ts'
import { simulate } from './simulate.ts'

const SEEDS = 500

/** What is no fault of ours, and must have come all the same. */
const INPUTS = [
  ...['append time: an outage', 'bridge: sends a batch twice', 'tick'],
  ...['clock: 1970', 'clock: 2100', 'clock: a day behind', 'clock: an hour ahead'],
  ...['correction: by quality', 'correction: by seq'],
  ...['poison: cut off', 'poison: no key', 'poison: no schema', 'poison: no value'],
  ...['poison: the key of another meter', 'poison: too long'],
  ...['reading: gap', 'reading: late', 'reading: out of order', 'reading: too late'],
  ...['reading: twice', 'register: reset', 'register: rollover'],
  ...['table row: gone', 'table row: none', 'table row: set'],
]

/** Calls that must each have been a processor's last, before and after they took effect. */
const LAST_CALLS = [
  ...['group.assigned', 'group.batch', 'group.commit', 'log.committed', 'log.producer'],
  ...['log.read', 'log.subscribe', 'producer.append', 'tables.write'],
]

const STATE = ['state: read', 'state: written', 'table: lands after its claim']

// Both cores are wanted for a minute: beside other files it takes several times that.
const limit = { timeout: 900_000 }

test(`${SEEDS} seeds: whatever befalls the processors, all promises are kept`, limit, async (t) => {
  const { failures, reached, seconds, steps, rowsCompared } = await simulateMany({
    from: 1,
    seeds: SEEDS,
  })
  t.diagnostic(`${steps} steps, ${rowsCompared} rows compared, ${seconds.toFixed(0)} s`)
  const faults = FAULTS.map((fault) => `${reached[fault] ?? 0} x ${fault}`)
  t.diagnostic(`faults reached: ${faults.join(', ')}`)
  const told = failures.map(
    ({ seed, failure }) =>
      `seed ${seed}: ${failure}\nagain: node test/simulation/run.ts --seed ${seed}`,
  )
  assert.equal(failures.length, 0, told.slice(0, 3).join('\n\n'))
  const calls = LAST_CALLS.flatMap((call) => [`crash before ${call}`, `crash after ${call}`])
  const wanted = [...FAULTS, ...INPUTS, ...calls, 'a processor gives up', ...STATE]
  const missed = wanted.filter((what) => (reached[what] ?? 0) === 0)
  assert.deepEqual(missed, [], 'not exercised')
})

test('a seed gives the same story each time', async () => {
  for (const seed of [3, 8]) {
    const [first, second] = [await simulate(seed), await simulate(seed)]
    assert.ok(first.steps > 1_000)
    assert.deepEqual(second, first)
  }
})
