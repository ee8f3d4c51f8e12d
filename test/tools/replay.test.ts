import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { register } from '../../src/cli/replay.ts'
import { runCli } from '../../src/cli/run.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { systemClock } from '../../src/kernel/time.ts'
import { readLedger } from '../../src/tools/ledger.ts'
import { type ReplayOptions, replay } from '../../src/tools/replay.ts'
import type { Scope } from '../support/database.ts'
import { type TestBroker, openBroker } from './replay-broker.ts'

interface Got {
  readonly meterId: string
  readonly reading: { readonly at: string } & Readonly<Record<string, unknown>>
}

function folder(t: Scope): string {
  const path = mkdtempSync(join(tmpdir(), 'replay-'))
  t.after(() => {
    rmSync(path, { recursive: true })
    return Promise.resolve()
  })
  return path
}

function write(path: string, lines: readonly string[]): string {
  const text = lines.join('\n')
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

function optionsFor(broker: TestBroker, files: readonly string[]): ReplayOptions {
  return {
    ...{ files, url: broker.url, tenant: 'demo', channel: 'value', zone: 'UTC', speed: Infinity },
    ...{ untilNow: false, connections: 4, window: 16, ledger: undefined, clock: systemClock },
    signal: new AbortController().signal,
  }
}

/** What the broker was told, reading by reading, in the order of arrival. */
function readingsOf(broker: TestBroker): Got[] {
  return broker.received.flatMap(({ topic, payload }) => {
    const meterId = topic.split('/')[2]!
    const parsed = JSON.parse(payload) as Got['reading'] | Got['reading'][]
    return [parsed].flat().map((reading) => ({ meterId, reading }))
  })
}

const hourly = (n: number, value: (i: number) => string, from = Date.UTC(2026, 0, 1)) =>
  Array.from({ length: n }, (_, i) => {
    const at = new Date(from + i * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
    return `${at},${value(i)}`
  })

test('files of several forms, each reading once, in the order of its meter', async (t) => {
  const broker = await openBroker(t)
  const dir = folder(t)
  const files = [
    write(join(dir, 'shed.csv'), ['timestamp,value,anomaly', ...hourly(500, (i) => `${i}.50,1`)]),
    write(join(dir, 'roof.csv.gz'), ['timestamp,kw,temp_c', ...hourly(250, (i) => `${i},`)]),
  ]
  const ledger = join(dir, 'acked.jsonl')
  const options = { ...optionsFor(broker, files), channel: 'power_w', ledger }
  const summary = await replay(options)

  const got = readingsOf(broker)
  const shed = got.filter(({ meterId }) => meterId === 'shed').map(({ reading }) => reading)
  assert.deepEqual(
    shed.map(({ power_w: power }) => power),
    Array.from({ length: 500 }, (_, i) => i + 0.5),
  )
  assert.deepEqual(shed[1], { at: '2026-01-01T01:00:00.000Z', power_w: 1.5 })
  const roof = got.filter(({ meterId }) => meterId === 'roof')
  assert.deepEqual(
    roof.map(({ reading }) => reading['kw']),
    Array.from({ length: 250 }, (_, i) => i),
  )
  assert.equal(summary.acknowledged, 750)
  assert.equal(summary.blanks, 250)
  assert.ok(summary.publishes < 10, 'several readings share a publish')

  const noted = await Array.fromAsync(readLedger(ledger))
  assert.equal(noted.length, 750)
  assert.deepEqual(
    new Set(noted.map(({ reading }) => `${reading?.meterId} ${reading?.at}`)),
    new Set(got.map(({ meterId, reading }) => `${meterId} ${Date.parse(reading.at) * 1_000}`)),
  )
})

test('a long file, with qualities and with channels that bear names of the form', async (t) => {
  const broker = await openBroker(t)
  const file = write(join(folder(t), 'export.csv'), [
    'meter_id,at,channel,value,quality',
    'm-1,2026-01-01T00:00:00Z,power_w,1,measured',
    'm-2,2026-01-01T00:00:00Z,power_w,2,',
    '"m-1",2026-01-01T00:00:00Z,seq,3,BAD',
    'm/1,2026-01-01T00:00:00Z,power_w,4,',
    'm-1,2026-01-01T00:00:00Z,power_w,5,good',
  ])
  const summary = await replay(optionsFor(broker, [file]))
  const at = '2026-01-01T00:00:00.000Z'
  assert.deepEqual(readingsOf(broker), [
    { meterId: 'm-1', reading: { at, quality: 'MEASURED', power_w: 1 } },
    { meterId: 'm-1', reading: { at, quality: 'BAD', measurements: { seq: 3 } } },
    { meterId: 'm-2', reading: { at, power_w: 2 } },
  ])
  assert.equal(summary.refused.bad_name, 1)
  assert.equal(summary.refused.bad_quality, 1)
})

test('a meter in two files speaks in the order of time', async (t) => {
  const broker = await openBroker(t)
  const [a, b] = [folder(t), folder(t)]
  const files = [
    write(join(a, 'home.csv'), ['timestamp,load', ...hourly(3_000, String)]),
    write(join(b, 'home.csv.gz'), ['timestamp,sun', ...hourly(3_000, String)]),
  ]
  await replay(optionsFor(broker, files))
  const times = readingsOf(broker).map(({ reading }) => reading.at)
  assert.equal(times.length, 6_000)
  assert.deepEqual(times, times.toSorted())
})

test('speed is kept over all files together', async (t) => {
  const broker = await openBroker(t)
  const dir = folder(t)
  const files = [0, 1, 2].map((i) => {
    const from = Date.UTC(2026, 0, 1, 0, i * 20)
    return write(join(dir, `m-${i}.csv`), ['timestamp,value', ...hourly(4, String, from)])
  })
  // 3 h 40 min at 10 h a second.
  const summary = await replay({ ...optionsFor(broker, files), speed: 36_000 })
  const times = readingsOf(broker).map(({ reading }) => reading.at)
  assert.equal(times.length, 12)
  assert.deepEqual(times, times.toSorted())
  const seconds = 3.67 / 10
  assert.ok(summary.seconds >= seconds, `${summary.seconds} s are less than ${seconds} s`)
})

test('until now: shifted by whole weeks, the last reading less than one before now', async (t) => {
  const broker = await openBroker(t)
  const file = write(join(folder(t), 'm.csv'), ['timestamp,value', ...hourly(50, String)])
  const summary = await replay({ ...optionsFor(broker, [file]), untilNow: true })
  const times = readingsOf(broker).map(({ reading }) => Date.parse(reading.at))
  const week = 7 * 86_400_000
  assert.equal((times[0]! - Date.UTC(2026, 0, 1)) % week, 0)
  assert.equal(times[0]! - Date.UTC(2026, 0, 1), summary.shiftWeeks * week)
  const behind = Date.now() - times.at(-1)!
  assert.ok(behind >= 0 && behind < week)
})

test('local times that are missing or twice are counted', async (t) => {
  const broker = await openBroker(t)
  const local = ['2026-03-29 01:30:00', '2026-03-29 02:30:00', '2026-10-25 02:30:00']
  const rows = [...local, local[2]!].map((at, i) => `${at},${i}`)
  const file = write(join(folder(t), 'm.csv'), ['timestamp,value', ...rows])
  const summary = await replay({ ...optionsFor(broker, [file]), zone: 'Europe/Berlin' })
  assert.equal(summary.refused.no_such_local_time, 1)
  assert.equal(summary.repeatedLocalTimes, 2)
  assert.equal(summary.sameIdentity, 1)
  assert.deepEqual(
    readingsOf(broker).map(({ reading }) => reading),
    [
      { at: '2026-03-29T00:30:00.000Z', value: 0 },
      { at: '2026-10-25T00:30:00.000Z', value: 2 },
      { at: '2026-10-25T00:30:00.000Z', value: 3 },
    ],
  )
})

test('files that are of no use are named before anything is published', async (t) => {
  const broker = await openBroker(t)
  const dir = folder(t)
  const good = write(join(dir, 'good.csv'), ['timestamp,value', ...hourly(5, String)])
  const refused: readonly [string, string][] = [
    [write(join(dir, 'meters.csv'), ['meter_id,region', 'a,b']), 'replay.badHeader'],
    [join(dir, 'absent.csv'), 'replay.unreadable'],
    [write(join(dir, 'empty.csv'), []), 'replay.badHeader'],
    [write(join(dir, 'a+b.csv'), ['timestamp,value']), 'replay.badMeter'],
  ]
  for (const [file, code] of refused) {
    await assert.rejects(
      replay(optionsFor(broker, [good, file])),
      (error) => hasCode(error, code) && error.message.includes(file),
    )
  }
  assert.deepEqual(broker.received, [])
  const whole = gzipSync(['timestamp,value', ...hourly(90_000, String)].join('\n'))
  const damaged = join(dir, 'damaged.csv.gz')
  writeFileSync(damaged, whole.subarray(0, whole.length / 2))
  await assert.rejects(
    replay(optionsFor(broker, [damaged])),
    (error) => hasCode(error, 'replay.unreadable') && error.message.includes(damaged),
  )
})

test('the command tells what it did, by words, by JSON and by its exit code', async (t) => {
  const broker = await openBroker(t)
  const dir = folder(t)
  const good = write(join(dir, 'good.csv'), ['timestamp,value', ...hourly(5, String)])
  const bad = write(join(dir, 'bad.csv'), ['timestamp,value', '2026-02-30,1', '2026-02-28,much'])
  const run = async (...args: string[]) => {
    let out = ''
    let err = ''
    const sink = (add: (text: string) => void) =>
      ({ write: (text: string) => (add(text), true) }) as unknown as NodeJS.WritableStream
    const code = await runCli(['replay', ...args, '--url', broker.url], [register], {
      ...{ env: {}, terminal: false, setExitCode: () => undefined },
      ...{ stdout: sink((text) => (out += text)), stderr: sink((text) => (err += text)) },
      ...{ interrupted: new AbortController().signal, hurried: new AbortController().signal },
    })
    return { code, out, err }
  }
  const plain = await run(good)
  assert.equal(plain.code, 0)
  assert.match(plain.out, /5 readings \(5 measurements\) of 1 files acknowledged/)
  const json = JSON.parse((await run(good, '--json')).out) as { acknowledged: number }
  assert.equal(json.acknowledged, 5)
  const refused = await run(bad)
  assert.equal(refused.code, 1)
  assert.ok(refused.err.includes(`${bad}:2: bad_time '2026-02-30'`), refused.err)
  assert.ok(refused.err.includes(`${bad}:3: bad_value 'much'`), refused.err)
  assert.equal((await run(good, '--speed', 'fast')).code, 2)
  assert.equal((await run(good, '--until', 'tomorrow')).code, 2)
  assert.equal((await run(good, '--zone', 'Mars/Olympus')).code, 2)
  assert.match((await run('--help')).out, /Examples:/)
})

test('an interrupted replay has published what it says', async (t) => {
  const broker = await openBroker(t)
  const file = write(join(folder(t), 'm.csv'), ['timestamp,value', ...hourly(500, String)])
  const stop = new AbortController()
  setTimeout(() => {
    stop.abort()
  }, 300)
  const summary = await replay({
    ...optionsFor(broker, [file]),
    ...{ speed: 36_000, signal: stop.signal },
  })
  assert.ok(summary.interrupted)
  assert.ok(summary.acknowledged > 0 && summary.acknowledged < 10)
  assert.equal(readingsOf(broker).length, summary.acknowledged)
})

const shared = process.env['METERLOOM_SHARED'] ?? join(import.meta.dirname, '../../../shared')
const home = join(shared, 'data/baseline/uk_home_1.csv.gz')
const isThere = existsSync(home)
const reason = isThere ? false : `no real data at ${shared} (METERLOOM_SHARED names it)`

test('a real file, row by row', { skip: reason }, async (t) => {
  const broker = await openBroker(t)
  await replay(optionsFor(broker, [home]))
  const wanted = gunzipSync(readFileSync(home))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','))
    .filter(([, value, celsius]) => value !== '' || celsius !== '')
    .map(([at = '', value = '', celsius = '']) => ({
      at: new Date(`${at.replace(' ', 'T')}Z`).toISOString(),
      ...(value !== '' && { value: Number(value) }),
      ...(celsius !== '' && { temp_c: Number(celsius) }),
    }))
  assert.ok(wanted.length > 10_000)
  assert.deepEqual(
    readingsOf(broker).map(({ reading }) => reading),
    wanted,
  )
})
