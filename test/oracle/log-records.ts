import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import type { Log } from '../../src/log/log.ts'
import type { OracleRecord } from './oracle.ts'

const CONTROL = '../../schemas/control.avsc'

/**
 * The readings topic as the oracle's input: whole, by offset, decoded by the generic Avro reader.
 */
export async function logRecords(log: Log, topic: string): Promise<OracleRecord[]> {
  const schema = readFileSync(new URL('../../schemas/reading.avsc', import.meta.url), 'utf8')
  const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)
  const controlType = avsc.Type.forSchema(
    JSON.parse(readFileSync(new URL(CONTROL, import.meta.url), 'utf8')) as avsc.Schema,
  )
  const controlKind = (value: Buffer) =>
    (controlType.fromBuffer(Buffer.from(value.subarray(5))) as { kind: string }).kind
  const ends = await log.endOffsets(topic)
  const records: OracleRecord[] = []
  for (const [partition, to] of ends.entries()) {
    for await (const batch of log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i++) {
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        const control = value.readUInt32BE(1) !== 1
        records.push({
          partition,
          offset: batch.offsets[i]!,
          appendMillis: batch.appendMillis[i]!,
          ofBridge: !control || controlKind(value) === 'tick',
          reading: control
            ? null
            : (type.fromBuffer(Buffer.from(value.subarray(5))) as OracleRecord['reading']),
        })
      }
    }
  }
  return records
}
