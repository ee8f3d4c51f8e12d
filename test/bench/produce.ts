import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts, startServers } from '../../infra/servers/index.ts'
import { KafkaLog } from '../../src/log/kafkajs.ts'
import type { OutgoingRecord, Producer } from '../../src/log/log.ts'
import { PlatformaticProducer } from '../../src/log/platformatic.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { ReadingCursor } from '../../src/schemas/reading-cursor.ts'
import { WIRE_HEADER_BYTES, loadCodecs } from '../../src/schemas/codecs.ts'

/**
 * `npm run bench -- produce`: records a second and CPU a record of both producers, at several sizes
 * of an append with a few appends under way at once; and what encoding and walking a reading takes.
 * Kafka is our own unless KAFKA_BROKERS names one.
 */
const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '300000' },
    append: { type: 'string', default: '100,1000' },
    underWay: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const PARTITIONS = 12
const METERS = 5_000

interface Line {
  readonly case: string
  readonly perSecond: number
  readonly cpuMicros: number
}

function report(line: Line): void {
  if (flags.json) {
    console.log(JSON.stringify(line))
    return
  }
  const perSecond = Math.round(line.perSecond).toLocaleString('en')
  console.log(
    `${line.case.padEnd(40)} ${perSecond.padStart(12)}/s  ` +
      `${line.cpuMicros.toFixed(2).padStart(6)} us of CPU each`,
  )
}

/** CPU of this process alone: the broker's is on the other core. */
async function measured(name: string, count: number, work: () => Promise<void> | void) {
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  await work()
  const seconds = (performance.now() - startedMs) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  return { case: name, perSecond: count / seconds, cpuMicros: (user + system) / count }
}

/** The round in the middle by its CPU. */
function median(lines: readonly Line[]): Line {
  return lines.toSorted((a, b) => a.cpuMicros - b.cpuMicros)[Math.floor(lines.length / 2)]!
}

async function appendAll(
  producer: Producer,
  topic: string,
  appends: readonly (readonly OutgoingRecord[])[],
  underWay: number,
): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < appends.length) await producer.append(topic, appends[next++]!)
  }
  await Promise.all(Array.from({ length: underWay }, lane))
}

/** Records of 120 bytes, key included, of which each append holds `size`. */
function makeAppends(count: number, size: number): OutgoingRecord[][] {
  return Array.from({ length: Math.ceil(count / size) }, (_, append) =>
    Array.from({ length: size }, (_, i) => {
      const key = Buffer.from(`demo/meter-${String((append * size + i) % METERS).padStart(6, '0')}`)
      return { key, value: randomBytes(120 - key.length) }
    }),
  )
}

async function producers(brokers: string[]): Promise<void> {
  const count = Number(flags.records)
  const open = (options: ConstructorParameters<typeof KafkaLog>[0]) => new KafkaLog(options)
  const plain = { brokers, clientId: 'bench' }
  const logs = {
    kafkajs: open(plain),
    platformatic: open({
      ...plain,
      openProducer: (options) => new PlatformaticProducer(brokers, 'bench', options),
    }),
  }
  const topic = `bench-produce-${randomBytes(4).toString('hex')}`
  const [spec] = topicSpecs(topicNames(), { partitions: PARTITIONS, retentionBytes: -1 })
  await logs.kafkajs.createTopics([{ ...spec!, topic }])
  for (const size of flags.append.split(',').map(Number)) {
    const appends = makeAppends(count, size)
    const lines: Record<string, Line[]> = {}
    // In turn, so that what disturbs the machine disturbs both; the first round warms up.
    for (let round = 0; round <= Number(flags.rounds); round++) {
      for (const [name, log] of Object.entries(logs)) {
        const producer = await log.producer()
        const label = `${name}, ${size} an append`
        const line = await measured(label, appends.length * size, () =>
          appendAll(producer, topic, appends, Number(flags.underWay)),
        )
        await producer.close()
        if (round > 0) (lines[name] ??= []).push(line)
      }
    }
    for (const rounds of Object.values(lines)) report(median(rounds))
  }
  await logs.kafkajs.deleteTopics([topic])
  for (const log of Object.values(logs)) await log.close()
}

async function codecs(): Promise<void> {
  const { reading } = await loadCodecs()
  const records = Array.from({ length: 10_000 }, (_, i) => ({
    tenant: 'demo',
    meterId: `meter-${i}`,
    at: 1_763_424_000_000_000 + i * 60_000_000,
    seq: null,
    measurements: [
      { channel: 'power_w', value: i / 7, quality: 'MEASURED' as const },
      { channel: 'energy_register_wh', value: i * 11, quality: 'MEASURED' as const },
    ],
  }))
  const encoded = records.map((one) => reading.encode(one))
  const bytes = Buffer.concat(encoded)
  const times = 30
  const rounds: Line[][] = [[], []]
  const cursor = new ReadingCursor()
  for (let round = 0; round <= Number(flags.rounds); round++) {
    const encoding = await measured('encode a reading of 2', times * records.length, () => {
      for (let i = 0; i < times; i++) for (const record of records) reading.encode(record)
    })
    const walking = await measured('walk a reading of 2', times * records.length, () => {
      for (let i = 0; i < times; i++) walkAll(cursor, bytes, encoded)
    })
    if (round > 0) for (const [i, line] of [encoding, walking].entries()) rounds[i]!.push(line)
  }
  for (const lines of rounds) report(median(lines))
}

function walkAll(cursor: ReadingCursor, bytes: Buffer, encoded: readonly Buffer[]): void {
  let at = 0
  let sum = 0
  for (const { length } of encoded) {
    cursor.open(bytes, at + WIRE_HEADER_BYTES, at + length)
    while (cursor.next()) sum += cursor.value
    at += length
  }
  if (cursor.damaged || sum === 0) throw new Error('the readings were not read')
}

async function main(): Promise<void> {
  await codecs()
  const given = process.env['KAFKA_BROKERS'] ?? ''
  if (given !== '') {
    await producers(given.split(','))
    return
  }
  const [kafka, kafkaController, questdbHttp, questdbPg, postgres] = await freePorts(5)
  const ports = {
    kafka: kafka!,
    kafkaController: kafkaController!,
    questdbHttp: questdbHttp!,
    questdbPg: questdbPg!,
    postgres: postgres!,
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'meterloom-bench-'))
  const servers = await startServers({ dataDir, ports, only: ['kafka'] })
  try {
    await producers([`127.0.0.1:${ports.kafka}`])
  } finally {
    await servers.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

await main()
