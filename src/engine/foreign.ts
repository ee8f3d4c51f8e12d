import type { RecordBatch } from '../log/log.ts'
import { WIRE_HEADER_BYTES } from '../schemas/codecs.ts'
import type { Codecs } from '../schemas/codecs.ts'

/** The schema id of record `i`'s value in the wire format; -1 where it has no such form. */
export function schemaIdAt(batch: RecordBatch, i: number): number {
  const { bytes } = batch
  const start = batch.valueStart[i]!
  if (start < 0 || batch.valueEnd[i]! - start < WIRE_HEADER_BYTES || bytes[start] !== 0) return -1
  return bytes.readInt32BE(start + 1)
}

/**
 * Fetches the schemas of readings that were written with another version than ours, so that they
 * can be read: a task asks nobody.
 */
export async function prepareForeign(batch: RecordBatch, codecs: Codecs): Promise<void> {
  for (let i = 0; i < batch.count; i++) {
    const id = schemaIdAt(batch, i)
    if (id === codecs.reading.id || id === codecs.control.id || id < 0) continue
    await codecs.reading.prepare(id)
  }
}

/** A reading of another version in ours, in the wire format; undefined where it is none. */
export function translated(value: Buffer, codecs: Codecs): Buffer | undefined {
  try {
    return codecs.reading.encode(codecs.reading.decode(value))
  } catch {
    return undefined
  }
}
