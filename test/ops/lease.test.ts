import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type Lease, takeLease } from '../../src/ops/lease.ts'
import { testDatabase } from '../support/database.ts'

const databaseUrl = await testDatabase({ after })

/** Time for a check that has just begun, the wait after it, and the next one. */
const TAKE_OVER_MS_MAX = 3 * LIMITS.leaseCheckMs

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TAKE_OVER_MS_MAX
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `${what} did not come`)
    await sleep(20)
  }
}

function wanting(name: string): { lease: Lease; tenures: AbortSignal[] } {
  const tenures: AbortSignal[] = []
  return { lease: takeLease({ databaseUrl, name, onHeld: (s) => void tenures.push(s) }), tenures }
}

test('one of two holds it, and the other takes over when it is released', async (t) => {
  const first = wanting('released')
  t.after(() => first.lease.release())
  await until('the first lease', () => first.lease.held)
  const second = wanting('released')
  t.after(() => second.lease.release())
  await until("the second's answer", () => second.lease.problem === undefined)
  assert.equal(second.lease.held, false)

  await first.lease.release()
  assert.equal(first.tenures[0]?.aborted, true, 'the first must be told')
  await until('the take-over', () => second.lease.held)
})

test('a holder whose session dies is told, and another one takes over', async (t) => {
  const first = wanting('killed')
  await until('the first lease', () => first.lease.held)
  const second = wanting('killed')
  await until("the second's answer", () => second.lease.problem === undefined)

  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  t.after(() => admin.end())
  const killed = await admin.query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and granted and pid in
       (select pid from pg_stat_activity where application_name = 'meterloom lease killed')`,
  )
  assert.equal(killed.rowCount, 1, 'exactly one session holds the lock')
  await until('the news', () => first.tenures[0]?.aborted === true)
  await until('the next holder', () => first.lease.held !== second.lease.held)
  await first.lease.release()
  await until('the last holder', () => second.lease.held)
  await second.lease.release()
})

test('where Postgres does not answer, the reason is told', async () => {
  const gone = databaseUrl.replace(/:\d+\//, ':1/')
  const lease = takeLease({ databaseUrl: gone, name: 'nowhere', onHeld: () => assert.fail() })
  await until('the reason', () => lease.problem?.includes('ECONNREFUSED') === true)
  assert.equal(lease.held, false)
  await lease.release()
})
