import assert from 'node:assert/strict'
import test from 'node:test'
import { Driver } from '../../src/engine/driver.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { pipeline } from '../../topologies/index.ts'
import { logRecords } from '../oracle/log-records.ts'
import { memoryRows } from '../oracle/memory-rows.ts'
import { oracle } from '../oracle/oracle.ts'
import { compare, explain } from '../oracle/stored.ts'
import { oracleRules, testRegistry } from '../support/registry.ts'
import { roughFleet } from '../support/rough-fleet.ts'

const codecs = await loadCodecs()
const ZONES = ['UTC', 'Asia/Kathmandu', 'America/Los_Angeles', 'Europe/Berlin']
const registry = testRegistry(
  ZONES.map((zone, i) => ({ tenant: 'demo', meterId: `rough-${i}`, zone })),
)
const MINUTE = 60_000_000

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
      const found = compare(
        expected,
        memoryRows((table) => driver.rows(table)),
      )
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
