import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { type RunningServers, freePorts, startServers } from '../../infra/servers/index.ts'
import { TABLES } from '../../src/schemas/tables.ts'
import { questdbSink } from '../../src/sinks/questdb.ts'
import { questdbSql } from '../../src/sinks/questdb-http.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { type WalWatch, type WalWatchOptions, watchWal } from '../../src/sinks/wal-watch.ts'
import { ResumePlan } from '../../src/sinks/wal-resume.ts'
import { uniquePrefix } from '../support/config.ts'
import { applied, batchOf } from './support.ts'

// A QuestDB of its own: it is killed here, and only in dev mode may a table be suspended on
// purpose.

const AT = 1_764_547_200_000_000
const base = { tenant: 'demo', meter_id: 'm-1', channel: 'power_w', quality: 'MEASURED' }

let servers: RunningServers
let dataDir: string
let url: string

before(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meterloom-wal-'))
  process.env['QDB_DEV_MODE_ENABLED'] = 'true'
  const [kafka, kafkaController, questdbHttp, questdbPg, postgres] = await freePorts(5)
  const ports = {
    kafka: kafka!,
    kafkaController: kafkaController!,
    questdbHttp: questdbHttp!,
    questdbPg: questdbPg!,
    postgres: postgres!,
  }
  servers = await startServers({ dataDir, ports, only: ['questdb'] })
  url = servers.env['QUESTDB_URL']!
})

after(async () => {
  await servers.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Looks often, and has a short patience. */
function watch(options: Partial<WalWatchOptions> & { prefix: string }): WalWatch {
  return watchWal({
    questdbUrl: url,
    pollEveryMs: 20,
    lagTransactionsMax: 2,
    lagMsMax: 300,
    ...options,
  })
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`not within 10 s: ${what}`)
    await sleep(20)
  }
}

test('a suspended table is told with its remedy, which mends it', async (t) => {
  const prefix = uniquePrefix()
  await ensureTables({ questdbUrl: url, prefix })
  const sql = questdbSql(url)
  const table = `${prefix}windows`
  const metrics = new Registry()
  const wal = watch({ prefix, metrics })
  t.after(() => wal.stop())
  assert.equal(wal.readiness().ready, false, 'nothing is known before the first look')
  await until('ready', () => wal.readiness().ready)

  await sql.rows(`alter table '${table}' suspend wal with 24, 'no room left on purpose'`)
  await until('suspended', () => !wal.readiness().ready)
  const [reason, ...others] = wal.readiness().reasons
  assert.deepEqual(others, [])
  assert.match(reason ?? '', new RegExp(`table ${table} is suspended \\(.*no room left`))
  const gauge = `meterloom_questdb_wal_suspended{table="${table}"}`
  assert.ok((await metrics.metrics()).includes(`${gauge} 1`))

  const remedy = /ALTER TABLE .* RESUME WAL/.exec(reason ?? '')?.[0] ?? ''
  await sql.rows(remedy)
  await until('resumed', () => wal.readiness().ready)
  assert.ok((await metrics.metrics()).includes(`${gauge} 0`))
})

test('a suspended table is resumed, each time that it is', async (t) => {
  const prefix = uniquePrefix()
  await ensureTables({ questdbUrl: url, prefix })
  const sql = questdbSql(url)
  const table = `${prefix}readings`
  const metrics = new Registry()
  const wal = watch({ prefix, metrics, resumeMsMin: 40 })
  t.after(() => wal.stop())
  const resumes = async () => {
    const line = new RegExp(`wal_resumes_total{table="${table}"} (\\d+)`)
    return Number(line.exec(await metrics.metrics())?.[1])
  }
  await until('ready', () => wal.readiness().ready)
  assert.equal(await resumes(), 0)
  for (const times of [1, 2]) {
    await sql.rows(`alter table '${table}' suspend wal with 24, 'no room left on purpose'`)
    const sink = questdbSink({ questdbUrl: url, prefix })
    await sink.write(batchOf(TABLES.readings, [{ ...base, ts: AT + times, value: times }]))
    await sink.close()
    await applied(sql, table)
    await until('ready again', () => wal.readiness().ready)
    assert.ok((await resumes()) >= times)
  }
  assert.deepEqual(await sql.rows(`select count() from '${table}'`), [[2]])
})

test('a table that stays suspended is asked to go on later each time', () => {
  const plan = new ResumePlan({ pauseMsMin: 5, pauseMsMax: 30 })
  const dueAt = (nowMs: number) => plan.isDue('t', true, nowMs)
  const times = Array.from({ length: 120 }, (_, i) => i)
  assert.deepEqual(times.filter(dueAt), [5, 15, 35, 65, 95])
  // It works for a moment, and is suspended again: no new beginning.
  assert.equal(plan.isDue('t', false, 120), false)
  assert.deepEqual([121, 124, 125].filter(dueAt), [125])
  // It works for long: the next time is a first one.
  for (const nowMs of [130, 200]) plan.isDue('t', false, nowMs)
  assert.deepEqual([300, 304, 305].filter(dueAt), [305])
})

test('a table that falls behind its log is told until it has caught up', async (t) => {
  const prefix = uniquePrefix()
  await ensureTables({ questdbUrl: url, prefix })
  const sql = questdbSql(url)
  const table = `${prefix}readings`
  const sink = questdbSink({ questdbUrl: url, prefix })
  t.after(() => sink.close())
  const wal = watch({ prefix })
  t.after(() => wal.stop())
  await until('ready', () => wal.readiness().ready)
  // Suspended is the one way to hold a table back; rows are acknowledged all the same.
  await sql.rows(`alter table '${table}' suspend wal`)
  for (let i = 0; i < 5; i++) {
    await sink.write(batchOf(TABLES.readings, [{ ...base, ts: AT + i, value: i }]))
  }
  const late = () => wal.readiness().reasons.find((reason) => reason.includes('behind'))
  await until('behind', () => late() !== undefined)
  assert.match(late() ?? '', new RegExp(`${table} is 5 transactions behind its log`))
  await sql.rows(`alter table '${table}' resume wal`)
  await until('caught up', () => wal.readiness().ready)
  assert.deepEqual(await sql.rows(`select count() from '${table}'`), [[5]])
})

test('a QuestDB killed in the middle of writing loses nothing that it acknowledged', async (t) => {
  const prefix = uniquePrefix()
  await ensureTables({ questdbUrl: url, prefix })
  const sink = questdbSink({ questdbUrl: url, prefix })
  t.after(() => sink.close())
  const wal = watch({ prefix })
  t.after(() => wal.stop())
  const server = servers.servers[0]!
  let acknowledged = 0
  const count = 60
  const writing = (async () => {
    for (let i = 0; i < count; i++) {
      const rows = Array.from({ length: 100 }, (_, k) => ({
        ...base,
        ts: AT + 100 * i + k,
        value: i,
      }))
      await sink.write(batchOf(TABLES.readings, rows))
      acknowledged++
    }
  })()
  await until('a third written', () => acknowledged >= count / 3)
  await server.kill()
  assert.ok(acknowledged < count, 'it was killed in the middle')
  await until('away', () => wal.readiness().reasons.some((r) => r.includes('does not answer')))
  await server.start()
  await writing
  const sql = questdbSql(url)
  const table = `${prefix}readings`
  await applied(sql, table)
  assert.deepEqual(await sql.rows(`select count(), min(value), max(value) from '${table}'`), [
    [100 * count, 0, count - 1],
  ])
  await until('ready again', () => wal.readiness().ready)
})
