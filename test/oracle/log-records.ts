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
        const { bytes, keyStart, keyEnd, valueStart, valueEnd } = batch
        const hasValue = valueStart[i]! >= 0
        const value = hasValue ? bytes.subarray(valueStart[i], valueEnd[i]) : Buffer.alloc(0)
        const key = keyStart[i]! < 0 ? '' : bytes.toString('utf8', keyStart[i], keyEnd[i])
        records.push({
          partition,
          offset: batch.offsets[i]!,
          appendMillis: batch.appendMillis[i]!,
          ofBridge: !isControl(value) || controlKind(value) === 'tick',
          reading: hasValue ? readingIn(type, key, value) : null,
        })
      }
    }
  }
  return records
}

/** In the wire format, with the fixed id of control records. */
function isControl(value: Buffer): boolean {
  return value.length >= 5 && value[0] === 0 && value.readUInt32BE(1) === 5
}

/** Null for a control record, and for what is no reading of the meter that its key names. */
function readingIn(type: avsc.Type, key: string, value: Buffer): OracleRecord['reading'] {
  if (value.length < 5 || value[0] !== 0 || value.readUInt32BE(1) !== 1) return null
  try {
    const reading = type.fromBuffer(Buffer.from(value.subarray(5))) as OracleRecord['reading']
    return key === `${reading!.tenant}/${reading!.meterId}` ? reading : null
  } catch {
    return null
  }
}
