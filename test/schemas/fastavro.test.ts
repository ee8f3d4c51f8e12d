import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fastify } from 'fastify'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { schemaRoutes } from '../../src/schemas/registry-view.ts'
import { testConfig } from '../support/config.ts'
import { EXAMPLES } from './samples.ts'

const PYTHON =
  process.env['METERLOOM_PYTHON'] ?? join(import.meta.dirname, '../../.meterloom/venv/bin/python')

const { reading: codec, control } = await loadCodecs()

const readings: readonly Reading[] = [
  EXAMPLES.reading,
  { ...EXAMPLES.reading, seq: null, measurements: [] },
  ...Array.from({ length: 200 }, (_, i) => ({
    tenant: 'demo',
    meterId: `m-${i}`,
    at: 1_763_424_000_000_000 + i * 60_000_001,
    seq: i * 2 ** 40,
    measurements: [
      { channel: 'power_w', value: -i / 7, quality: 'ESTIMATED' as const },
      { channel: 'Größe', value: 1e300, quality: 'SUSPECT' as const },
    ],
  })),
]

/** Puts values on a `readings` topic of the run's Kafka, and answers them as they lie there. */
async function throughKafka(t: TestContext, values: readonly Buffer[]): Promise<Buffer[]> {
  const config = testConfig()
  const log = await connectLog(config)
  const { readings: topic } = topicNames(config.topicPrefix)
  const [spec] = topicSpecs(topicNames(config.topicPrefix), { partitions: 1, retentionBytes: -1 })
  await log.createTopics([spec!])
  t.after(async () => {
    await log.deleteTopics([topic])
    await log.close()
  })
  const producer = await log.producer()
  await producer.append(
    topic,
    values.map((value) => ({ key: null, value })),
  )
  const found: Buffer[] = []
  for await (const batch of log.read({ topic, partition: 0, from: 0 })) {
    for (let i = 0; i < batch.count; i++) {
      found.push(Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])))
    }
  }
  return found
}

function decodedByPython(registry: string, records: readonly Buffer[]): Promise<unknown[]> {
  const script = join(import.meta.dirname, 'decode.py')
  return new Promise((resolve, reject) => {
    const child = execFile(PYTHON, [script, registry], (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else
        resolve(
          stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
        )
    })
    child.stdin!.end(records.map((record) => `${record.toString('hex')}\n`).join(''))
  })
}

test('fastavro reads what is on the topic, by the schemas that are served', async (t) => {
  if (!existsSync(PYTHON) && process.env['CI'] === undefined) {
    t.skip(`no Python with fastavro at ${PYTHON}: \`npm test\` makes one, or set METERLOOM_PYTHON`)
    return
  }
  const app = fastify()
  await app.register(schemaRoutes)
  const registry = await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const tick = { kind: 'tick', source: 'bridge-1', table: null, offset: null, body: null }
  const values = [...readings.map((one) => codec.encode(one)), control.encode(tick)]
  const records = await throughKafka(t, values)
  assert.equal(records.length, values.length)
  assert.deepEqual(await decodedByPython(registry, records), [...readings, tick])
})
