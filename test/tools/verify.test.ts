import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionOf } from '../../src/kernel/ids.ts'
import { type VerifyReport, reportLines } from '../../src/tools/verify/report.ts'
import { applied } from '../sinks/support.ts'
import { AT, MINUTE, PARTITIONS, Scene, fleet } from './verify-scene.ts'

// The log is in memory, so that a test can delete its beginning and commit what it likes; QuestDB
// is real. test/system runs the command itself behind real processors.

test('a log and its rows agree: with repeats, any names, and in many passes', async (t) => {
  const s = await Scene.open(t)
  const readings = fleet(7, 60)
  s.append([...readings, ...readings.slice(100, 200)])
  s.appendTick(1)
  await s.store(readings)
  await s.commit()
  const report = await s.verify()
  assert.equal(report.agrees, true, reportLines(report).join('\n'))
  assert.deepEqual(report.log, {
    records: 521,
    readings: 520,
    measurements: 1_040,
    identities: 840,
    unreadable: 0,
    from: '2025-12-01T00:00:00.000000Z',
    to: '2025-12-02T12:23:00.000000Z',
    partitionsCut: [],
  })
  assert.deepEqual(report.questdb, { rows: 840, notJudged: 0 })
  assert.equal(report.passes, 1)

  const inPasses = await s.verify({ slotsMax: 64 })
  assert.ok(inPasses.passes > 10, String(inPasses.passes))
  assert.deepEqual({ ...inPasses, passes: 1 }, report)
})

test('what is missing, too much or twice is counted and named', async (t) => {
  const s = await Scene.open(t)
  const readings = fleet(3, 20)
  const [lost, cut] = [readings[17]!, readings[30]!]
  s.append(readings)
  await s.store(readings.filter((r) => r !== lost && r !== cut))
  await s.store([{ ...cut, channels: ['b'] }])
  await s.store([{ meterId: 'ghost', at: AT + MINUTE, channels: ['a'] }])
  await s.store([{ meterId: 'older than the log', at: AT - 1 }])
  // Without deduplication a row is written twice.
  await applied(s.sql, s.table)
  await s.sql.rows(`alter table '${s.table}' dedup disable`)
  await s.store([{ ...readings[5]!, channels: ['a'] }])
  await s.commit()
  for (const slotsMax of [2 ** 10, 64]) {
    const report = await s.verify({ slotsMax })
    assert.equal(report.agrees, false)
    const words = ({ count, first }: VerifyReport['missing']) => {
      return [count, ...first.map((r) => `${r.meterId} ${r.channel} ${r.at}`).sort()]
    }
    assert.deepEqual(words(report.missing), [
      3,
      ...[
        `${lost.meterId} a ${lost.at}`,
        `${lost.meterId} b ${lost.at}`,
        `${cut.meterId} a ${cut.at}`,
      ].sort(),
    ])
    assert.deepEqual(words(report.extra), [1, `ghost a ${AT + MINUTE}`])
    assert.deepEqual(words(report.doubled), [1, `${readings[5]!.meterId} a ${readings[5]!.at}`])
    const text = reportLines(report).join('\n')
    assert.match(text, /in the log, not in QuestDB: 3\n {2}t\/m/)
    assert.match(text, /they do not agree$/)
  }
})

test('rows of readings that come while it runs are not too much', async (t) => {
  const s = await Scene.open(t)
  const readings = fleet(3, 20)
  s.append(readings)
  await s.store(readings)
  await s.commit()
  const late = { meterId: 'late', at: AT + 5 }
  let appended = false
  const report = await s.verify({
    progress: (step) => {
      if (step !== 'log' || appended) return
      appended = true
      s.append([late])
    },
  })
  assert.ok(appended)
  assert.equal(report.agrees, true)
  // A row without its record is.
  const other = { meterId: 'nobody', at: AT + 6 }
  await s.store([other])
  await s.commit()
  const second = await s.verify()
  assert.deepEqual([second.extra.count, second.extra.first[0]?.meterId], [2, 'nobody'])
})

test('processors that have not committed are waited for, and told', async (t) => {
  const s = await Scene.open(t)
  s.append(fleet(3, 2))
  await s.store(fleet(3, 2))
  const report = await s.verify({ patienceMs: 300 })
  assert.equal(report.agrees, false)
  assert.match(report.notCaughtUp[0] ?? '', /group g have 6 records of readings still to commit/)

  const waiting = s.verify({ patienceMs: 10_000 })
  await s.commit()
  assert.equal((await waiting).agrees, true)
})

test('a record that nobody can read is no agreement', async (t) => {
  const s = await Scene.open(t)
  s.append(fleet(1, 3))
  s.appendRecords([{ key: Buffer.from('k'), value: Buffer.from('{"at":1}'), partition: 0 }])
  await s.store(fleet(1, 3))
  await s.commit()
  const report = await s.verify()
  assert.deepEqual([report.agrees, report.log.unreadable], [false, 1])
})

test('where retention has deleted records, older rows are not judged', async (t) => {
  const s = await Scene.open(t)
  const readings = fleet(5, 40)
  s.append(readings)
  await s.store(readings)
  await s.commit()
  const cutMeter = readings[0]!.meterId
  const partition = partitionOf(Buffer.from(`t/${cutMeter}`), PARTITIONS)
  const deleted = 10
  s.deleteBelow(partition, deleted)
  const report = await s.verify()
  assert.equal(report.agrees, true, reportLines(report).join('\n'))
  assert.deepEqual(report.log.partitionsCut, [partition])
  assert.equal(report.questdb.notJudged, 2 * deleted)
  assert.equal(report.log.identities, 400 - 2 * deleted)

  // What was acknowledged and deleted since is answered for by QuestDB; what is nowhere, by nobody.
  s.ledger((ledger) => {
    const reading = { tenant: 't', meterId: cutMeter, channels: ['a'] }
    ledger.acknowledged([{ ...reading, at: readings[0]!.at }])
    ledger.acknowledged([{ ...reading, at: AT - 1 }])
  })
  const { ledger } = await s.verify({ ledger: s.ledgerPath })
  assert.equal(ledger?.lost.count, 1)
  assert.match(ledger.lost.first[0] ?? '', /2025-11-30T23:59:59\.999999Z/)
})

test('an acknowledged reading is in the log, a dead letter, or told as lost', async (t) => {
  const s = await Scene.open(t)
  const readings = fleet(3, 20)
  s.append(readings)
  await s.store(readings)
  await s.commit()
  const [whole, batch, poison, vanished] = ['whole', 'batch', 'poison', 'vanished'].map((text) =>
    Buffer.from(text),
  )
  const dead = (at: number) => ({ tenant: 't', meterId: 'dead', at, channels: ['a', 'b'] })
  s.ledger((ledger) => {
    for (const { meterId, at } of readings) {
      ledger.acknowledged([{ tenant: 't', meterId, at, channels: ['a', 'b'] }], Buffer.from('x'))
    }
    ledger.acknowledged([dead(AT)], whole)
    // Sent again, and acknowledged again: one reading all the same.
    ledger.acknowledged([dead(AT)], whole)
    ledger.acknowledged([dead(AT + 1), dead(AT + 2), dead(AT + 3)], batch)
    ledger.acknowledged([], poison)
    ledger.acknowledged([], vanished)
    ledger.acknowledged([dead(AT + 9)])
  })
  s.deadLetter(whole!, null, 'payload.tooOld')
  s.deadLetter(batch!, 0, 'payload.badTime')
  s.deadLetter(batch!, 2, 'payload.badTime')
  s.deadLetter(poison!, null, 'payload.notJson')
  for (const slotsMax of [2 ** 10, 64]) {
    const report = await s.verify({ ledger: s.ledgerPath, slotsMax })
    assert.equal(report.agrees, false)
    assert.deepEqual(report.deadLetters, {
      count: 4,
      byReason: { 'payload.badTime': 2, 'payload.notJson': 1, 'payload.tooOld': 1 },
    })
    assert.equal(report.ledger?.lines, readings.length + 8)
    assert.equal(report.ledger.deadLettered, 4)
    // One of the batch of three, the payload that vanished, and the one that named no payload.
    assert.equal(report.ledger.lost.count, 3)
  }
  s.deadLetter(batch!, 1, 'payload.badTime')
  s.deadLetter(vanished!, null, 'payload.notJson')
  const almost = await s.verify({ ledger: s.ledgerPath })
  assert.deepEqual(almost.ledger?.lost, {
    count: 1,
    first: ['t/dead a,b 2025-12-01T00:00:00.000009Z'],
  })
  assert.match(reportLines(almost).join('\n'), /acknowledged and lost: 1\n {2}t\/dead a,b/)
})

test('an empty log agrees with empty tables', async (t) => {
  const s = await Scene.open(t)
  const report = await s.verify()
  assert.deepEqual([report.agrees, report.log.from, report.questdb.rows], [true, null, 0])
})
