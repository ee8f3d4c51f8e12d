import assert from 'node:assert/strict'
import test from 'node:test'
import { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { pipeline } from '../../topologies/index.ts'
import { logRecords } from '../oracle/log-records.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain } from '../oracle/stored.ts'
import type { StoredRows } from '../oracle/stored.ts'
import { oracleRules, testRegistry } from '../support/registry.ts'
import { roughFleet } from '../support/rough-fleet.ts'

const codecs = await loadCodecs()
const ZONES = ['UTC', 'Asia/Kathmandu', 'America/Los_Angeles', 'Europe/Berlin']
const registry = testRegistry(
  ZONES.map((zone, i) => ({ tenant: 'demo', meterId: `rough-${i}`, zone })),
)
const MINUTE = 60_000_000

type Fields = Record<string, number | string | boolean | null>

/** The driver's rows in the form in which the oracle's comparison reads QuestDB. */
function stored(driver: Driver): StoredRows {
  const camel = (name: string) => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
  const fields = (row: Row): Fields =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        camel(name),
        value === undefined || Number.isNaN(value) ? null : value,
      ]),
    )
  const table = (name: string, keys: readonly string[]) =>
    new Map(
      driver
        .rows(name)
        .map((row) => [
          [
            row['tenant'],
            row['meter_id'],
            row['channel'],
            row['ts'],
            ...keys.map((k) => row[k]),
          ].join('|'),
          fields(row),
        ]),
    )
  return {
    readings: table('readings', []),
    windows: table('windows', ['width']),
    baselines: table('baselines', ['width', 'kind']),
    anomalies: table('anomalies', ['width', 'kind']),
  }
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  const beyondHorizon = seed % 2 === 0
  test(
    `rows are what the law says (seed ${seed}, beyond the horizon: ` + `${beyondHorizon})`,
    async () => {
      const driver = new Driver({ pipeline, registry, codecs, partitions: 3, batchRecords: 97 })
      const sent = roughFleet({ seed, meters: 6, minutes: 3_000, beyondHorizon })
      let now = sent[0]!.dueMicros
      let bucket: (typeof sent)[number]['reading'][] = []
      const flush = (due: number) => {
        driver.append(bucket)
        bucket = []
        driver.advanceAppendTime(Math.floor((due - now) / 1_000) * 1_000)
        now = due
      }
      for (const { dueMicros, reading } of sent) {
        if (dueMicros - now > MINUTE / 6) flush(dueMicros)
        bucket.push(reading)
      }
      flush(now + MINUTE)
      await driver.run()
      driver.advanceAppendTime(MINUTE)
      await driver.run()

      const expected = oracle(await logRecords(driver.log, 'readings'), oracleRules(registry))
      const found = compare(expected, stored(driver))
      assert.ok(found.windows.compared > 10_000, 'the test must reach windows')
      assert.ok(found.anomalies.compared > 20, `only ${found.anomalies.compared} anomalies`)
      assert.equal(explain(found), '')
      const silences = [...expected.anomalies.keys()].filter((key) => key.endsWith('|silence'))
      assert.ok(silences.length > 20, `only ${silences.length} silences`)
      assert.equal(
        driver.counts.reduce((sum, counts) => sum + counts.beyondHorizon, 0),
        expected.beyondHorizon,
      )
    },
  )
}
