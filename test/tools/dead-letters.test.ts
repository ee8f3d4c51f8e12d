import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { register } from '../../src/cli/dead-letters.ts'
import { runCli } from '../../src/cli/run.ts'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { formatMicros, hours, systemClock } from '../../src/kernel/time.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { startBridge } from '../../src/roles/bridge.ts'
import { type Codecs, loadCodecs } from '../../src/schemas/codecs.ts'
import type { ReplayLettersSummary } from '../../src/tools/dead-letter-replay.ts'
import { openPublisher } from '../../src/tools/publisher.ts'
import { testConfig } from '../support/config.ts'
import { environmentOf, onFreePorts, startRoleInProcess } from '../support/roles.ts'

// Goal: what a bridge could not read is listed with its reason, and once the cause is mended it is
// sent again, once, and becomes readings. Kafka and the bridge are real.

const folder = mkdtempSync(join(tmpdir(), 'meterloom-dead-letters-'))
let config: Config & Addresses
let log: Log
let codecs: Codecs

before(async () => {
  config = await onFreePorts(testConfig())
  log = await connectLog(config)
  codecs = await loadCodecs()
  const topics = topicNames(config.topicPrefix)
  await log.createTopics(topicSpecs(topics, { partitions: config.partitions, retentionBytes: -1 }))
})

after(async () => {
  const { topicPrefix } = config
  const topics = Object.values(topicNames(topicPrefix)) as string[]
  await log.deleteTopics([...topics, `${topicPrefix}dead-letter-replays`])
  await log.close()
  rmSync(folder, { recursive: true })
})

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function cli(...args: string[]): Promise<Said> {
  return interrupted(new AbortController().signal, ...args)
}

async function interrupted(signal: AbortSignal, ...args: string[]): Promise<Said> {
  const said = { stdout: '', stderr: '' }
  const into = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += String(chunk)
        done()
      },
    })
  const code = await runCli(['dead-letters', ...args], [register], {
    env: environmentOf(config),
    stdout: into('stdout'),
    stderr: into('stderr'),
    terminal: false,
    interrupted: signal,
    hurried: new AbortController().signal,
    setExitCode: () => undefined,
  })
  return { code, ...said }
}

interface Listed {
  readonly deadLetters: readonly Record<string, unknown>[]
  readonly total: number
  readonly byReason: Record<string, number>
}

async function list(...args: string[]): Promise<Listed> {
  const { code, stdout, stderr } = await cli('list', '--json', ...args)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Listed
}

async function replay(...args: string[]): Promise<ReplayLettersSummary & { code: number }> {
  const { code, stdout, stderr } = await cli('replay', '--json', ...args)
  assert.equal(stderr, '')
  return { code, ...(JSON.parse(stdout) as ReplayLettersSummary) }
}

async function publish(...messages: (readonly [topic: string, payload: string])[]): Promise<void> {
  const url = `mqtt://127.0.0.1:${config.mqttPort}`
  const publisher = await openPublisher({
    url,
    connections: 1,
    window: 16,
    clientIdPrefix: 'dev\u202e-',
  })
  for (const [topic, payload] of messages) await publisher.publish(topic, payload)
  await publisher.flush()
  await publisher.close()
}

/** All readings of the log, as `meter power at`. */
async function readings(): Promise<string[]> {
  const topic = topicNames(config.topicPrefix).readings
  const found: string[] = []
  for (const [partition, to] of (await log.endOffsets(topic)).entries()) {
    for await (const batch of log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i += 1) {
        if (batch.header(i, 'ml-control') !== undefined) continue
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        const { meterId, at, measurements } = codecs.reading.decode(Buffer.from(value))
        const power = measurements.find(({ channel }) => channel === 'power_w')?.value
        found.push(`${meterId} ${String(power)} ${formatMicros(at)}`)
      }
    }
  }
  return found.sort()
}

// Its clock shows Indian time, which lies in the future of a bridge that takes it for Greenwich's.
const now = Math.floor(systemClock.nowMicros() / 1e6) * 1e6
const indian = formatMicros(now + hours(5.5)).slice(0, 19)
const tasmota = (power: number) => `{"Time":"${indian}","ENERGY":{"Power":${power}}}`
const meters = { meters: [{ tenant: 'demo', meterId: 'plug', zone: 'Asia/Kolkata' }] }

describe('dead letters', { concurrency: false }, () => {
  test('a topic without any', async () => {
    assert.deepEqual(await list(), { deadLetters: [], total: 0, byReason: {} })
    const { code, stdout } = await cli('list')
    assert.deepEqual([code, stdout], [0, 'no dead letter fits\n'])
  })

  test('are listed with what was wrong', async (t) => {
    const { running } = await startRoleInProcess(t, 'bridge', startBridge, config)
    await publish(
      ['tele/plug/SENSOR', tasmota(1)],
      ['tele/plug/SENSOR', tasmota(2)],
      ['fleet/demo/m-1/readings', `[{"at":${now},"power_w":3},{"at":${now},"power_w":"on"}]`],
      ['fleet/demo/m-1/readings', `{"at":${now},"power_w":4}`.padEnd(70_000)],
    )
    await running.stop()
    const all = await list()
    assert.equal(all.total, 4)
    assert.deepEqual(all.byReason, {
      'payload.inFuture': 2,
      'payload.badValue': 1,
      'payload.tooLong': 1,
    })
    const [element] = (await list('--reason', 'badValue')).deadLetters
    assert.equal(element?.['element'], 1)
    assert.equal(element['whole'], true)
    assert.equal(
      Buffer.from(element['bytes'] as string, 'base64').toString(),
      `{"at":${now},"power_w":"on"}`,
    )
    const [long] = (await list('--reason', 'payload.tooLong')).deadLetters
    assert.deepEqual([long?.['length'], long?.['whole']], [70_000, false])
    assert.equal((await list('--meter', 'plug')).total, 2)
    assert.equal((await list('--meter', 'demo/m-1')).total, 2)
    assert.equal((await list('--meter', 'other/m-1')).total, 0)
    assert.equal((await list('--since', '1h')).total, 4)
    assert.equal((await list('--since', formatMicros(now + hours(1)))).total, 0)
    const one = await list('--limit', '1')
    assert.deepEqual([one.deadLetters.length, one.total], [1, 4])
    assert.equal(one.deadLetters[0]?.['reason'], 'payload.tooLong')
  })

  test('are written for people so that no terminal obeys them', async () => {
    const { stdout } = await cli('list')
    assert.match(stdout, /payload\.inFuture tele\/plug\/SENSOR from dev\ufffd-0, \d+ bytes: /)
    assert.match(stdout, /payload\.badValue fleet\/demo\/m-1\/readings\[1\] from dev/)
    assert.match(stdout, /payload\.tooLong \[cut\]/)
    assert.match(stdout, /4 of 4 shown/)
    assert.ok(!stdout.includes('\u202e'))
  })

  test('a dry run sends nothing, and needs no bridge', async () => {
    const { code, stdout } = await cli('replay', '--dry-run', '--reason', 'inFuture')
    assert.equal(code, 0)
    assert.equal(stdout.match(/payload\.inFuture/g)?.length, 2)
    assert.match(stdout, /2 would be sent/)
  })

  test('are sent again once, and become readings where the cause is mended', async (t) => {
    const metersFile = join(folder, 'meters.json')
    writeFileSync(metersFile, JSON.stringify(meters))
    await startRoleInProcess(t, 'bridge', startBridge, { ...config, metersFile })
    const at = formatMicros(now)
    const before = await readings()
    assert.deepEqual(before, [`m-1 3 ${at}`])
    const first = await replay('--reason', 'inFuture')
    assert.deepEqual([first.code, first.replayed, first.before, first.cut], [0, 2, 0, 0])
    assert.deepEqual(await readings(), [`m-1 3 ${at}`, `plug 1 ${at}`, `plug 2 ${at}`])
    assert.equal((await list('--meter', 'plug')).deadLetters[0]?.['replayed'], true)

    // The element that is still wrong is refused anew, and what is cut cannot be sent.
    const second = await replay()
    assert.deepEqual([second.code, second.replayed, second.before, second.cut], [1, 1, 2, 1])
    assert.equal((await list('--reason', 'badValue')).total, 2)
    assert.equal((await readings()).length, 3)
  })

  test('of foreign meters are sent only where that is asked for by name', async (t) => {
    const { running } = await startRoleInProcess(t, 'bridge', startBridge, config)
    const producer = await log.producer()
    const payload = Buffer.from(`{"at":${now},"power_w":9}`)
    const letter = codecs['dead-letter'].encode({
      receivedAt: now,
      source: 'listener',
      mqttTopic: 'fleet/demo/m-9/readings',
      clientId: 'thief',
      tenant: 'demo',
      meterId: 'm-9',
      reason: 'payload.foreignMeter',
      detail: 'may not',
      element: null,
      length: payload.length,
      sha256: '0'.repeat(64),
      bytes: payload,
    })
    const { deadLetters } = topicNames(config.topicPrefix)
    await producer.append(deadLetters, [{ key: Buffer.from('demo/m-9'), value: letter }])
    await producer.close()
    const left = await replay('--meter', 'm-9')
    assert.deepEqual([left.code, left.replayed, left.leftOut], [0, 0, 1])
    const sent = await replay('--meter', 'm-9', '--reason', 'foreignMeter')
    assert.deepEqual([sent.code, sent.replayed], [0, 1])
    assert.ok((await readings()).includes(`m-9 9 ${formatMicros(now)}`))
    await running.stop()
  })

  test('wrong usage says what is right', async () => {
    const { code, stderr } = await cli('list', '--since', 'yesterday')
    assert.equal(code, 2)
    assert.match(stderr, /--since is 'yesterday', but must be a time with its zone/)
  })

  test('interrupted before the bridge answers, nothing is marked', async () => {
    const nowhere = ['replay', '--reason', 'badValue', '--url', 'mqtt://127.0.0.1:1']
    const { code, stdout } = await interrupted(AbortSignal.abort(), ...nowhere)
    assert.equal(code, 130)
    assert.match(stdout, /0 sent and acknowledged, interrupted/)
    const { deadLetters } = await list('--reason', 'badValue')
    assert.deepEqual(
      deadLetters.map((letter) => letter['replayed']),
      [true, false],
    )
  })
})
