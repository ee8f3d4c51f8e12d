import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepareStores } from '../../infra/supervisor/prepare-stores.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames } from '../../src/log/topics.ts'
import type { MeterSpec } from '../../src/registry/registry.ts'
import { questdbSql } from '../../src/sinks/questdb-http.ts'
import { mirrorRegistry } from '../../src/sinks/registry-mirror.ts'
import { questdbUrl, rowsOf, testTables } from '../sinks/support.ts'
import { testConfig } from '../support/config.ts'
import { dropTables } from '../support/questdb.ts'
import { testRegistry } from '../support/registry.ts'

const EVER = '1970-01-01T00:00:00.000000Z'
const MAY = '2026-05-01T00:00:00.000000Z'
const JUNE = '2026-06-01T00:00:00.000000Z'
const micros = (text: string) => Date.parse(text) * 1_000

const BERLIN = { zone: 'Europe/Berlin', place: 'shed' }
const FIRST: readonly Partial<MeterSpec>[] = [
  { meterId: 'm-1', ...BERLIN },
  { meterId: 'm-2', ...BERLIN },
  { meterId: "m '3, =\\ ü", place: 'hall = 2, left' },
]

async function mirrored(prefix: string, meters: readonly Partial<MeterSpec>[], now: string) {
  const registry = testRegistry(meters)
  return mirrorRegistry({ questdbUrl, prefix, registry, nowMicros: micros(now) })
}

const METER_ROWS = 'select ts, meter_id, location_id, zone, removed, version from'
const PLACE_ROWS = 'select ts, location_id, name, zone, removed, version from'

test('meters and places hold since ever, and a second mirroring changes nothing', async (t) => {
  const { prefix, sql } = await testTables(t)
  assert.deepEqual(await mirrored(prefix, FIRST, MAY), { meters: 3, locations: 2 })
  const meters = await sql.rows(`${METER_ROWS} '${prefix}meters' order by meter_id`)
  assert.deepEqual(meters, [
    [EVER, "m '3, =\\ ü", 'hall = 2, left', 'UTC', false, 1],
    [EVER, 'm-1', 'shed', 'Europe/Berlin', false, 1],
    [EVER, 'm-2', 'shed', 'Europe/Berlin', false, 1],
  ])
  const places = await sql.rows(`${PLACE_ROWS} '${prefix}locations' order by location_id`)
  assert.deepEqual(places, [
    [EVER, 'hall = 2, left', 'hall = 2, left', 'UTC', false, 1],
    [EVER, 'shed', 'shed', 'Europe/Berlin', false, 1],
  ])
  assert.deepEqual(await mirrored(prefix, FIRST, JUNE), { meters: 0, locations: 0 })
})

test('a meter that moves, goes and comes back has a row for each, for as-of joins', async (t) => {
  const { prefix, sql } = await testTables(t)
  await mirrored(prefix, [{ meterId: 'm-1', ...BERLIN }], '2026-04-01T00:00:00Z')
  await mirrored(prefix, [{ meterId: 'm-1', zone: 'Europe/Berlin', place: 'hall' }], MAY)
  assert.deepEqual(await mirrored(prefix, [], JUNE), { meters: 1, locations: 1 })
  assert.deepEqual(await mirrored(prefix, [], JUNE), { meters: 0, locations: 0 })
  await mirrored(prefix, [{ meterId: 'm-1', ...BERLIN }], '2026-07-01T00:00:00Z')
  assert.deepEqual(await sql.rows(`${METER_ROWS} '${prefix}meters'`), [
    [EVER, 'm-1', 'shed', 'Europe/Berlin', false, 1],
    [MAY, 'm-1', 'hall', 'Europe/Berlin', false, 2],
    [JUNE, 'm-1', 'hall', 'Europe/Berlin', true, 3],
    ['2026-07-01T00:00:00.000000Z', 'm-1', 'shed', 'Europe/Berlin', false, 4],
  ])
  const values = ['2019-01-01', '2026-05-20', '2026-06-20', '2026-07-20'].map(
    (day) => `('${day}', 'demo', 'm-1', 'power_w', 1)`,
  )
  await sql.rows(
    `insert into '${prefix}readings'(ts, tenant, meter_id, channel, value) values ${values.join()}`,
  )
  const joined = await rowsOf(
    sql,
    `${prefix}readings`,
    `select m.location_id, m.removed from '${prefix}readings' r ` +
      `asof join '${prefix}meters' m on (tenant, meter_id)`,
  )
  assert.deepEqual(joined, [
    ['shed', false],
    ['hall', false],
    ['hall', true],
    ['shed', false],
  ])
})

test('a place whose meters have different zones has none', async (t) => {
  const { prefix, sql } = await testTables(t)
  const other = { meterId: 'm-9', place: 'shed', zone: 'Europe/London' }
  await mirrored(prefix, [{ meterId: 'm-1', ...BERLIN }, other], MAY)
  assert.deepEqual(await sql.rows(`${PLACE_ROWS} '${prefix}locations'`), [
    [EVER, 'shed', 'shed', null, false, 1],
  ])
})

test('two tenants may have a meter and a place of one name', async (t) => {
  const { prefix, sql } = await testTables(t)
  const meters = ['a', 'b'].map((tenant) => ({ tenant, meterId: 'm-1', ...BERLIN }))
  assert.deepEqual(await mirrored(prefix, meters, MAY), { meters: 2, locations: 2 })
  await mirrored(prefix, meters.slice(1), JUNE)
  const rows = await sql.rows(
    `select tenant, removed from '${prefix}meters' latest on ts partition by tenant, meter_id`,
  )
  assert.deepEqual([...rows].sort(), [
    ['a', true],
    ['b', false],
  ])
})

// Goal: what `meterloom start` does before the roles come up.
test('preparing the stores mirrors the meters of METERS_FILE', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mirror-'))
  const metersFile = join(folder, 'meters.json')
  const list = [{ tenant: 'demo', meterId: 'm-1', place: 'shed', zone: 'Europe/Berlin' }]
  writeFileSync(metersFile, JSON.stringify({ meters: list }))
  const config = testConfig({ metersFile })
  t.after(async () => {
    rmSync(folder, { recursive: true })
    const log = await connectLog(config)
    await log.deleteTopics(Object.values(topicNames(config.topicPrefix)))
    await log.close()
    await dropTables(config)
  })
  await prepareStores(config, () => undefined)
  await prepareStores(config, () => undefined)
  const rows = await questdbSql(questdbUrl).rows(`${METER_ROWS} '${config.tablePrefix}meters'`)
  assert.deepEqual(rows, [[EVER, 'm-1', 'shed', 'Europe/Berlin', false, 1]])
})
