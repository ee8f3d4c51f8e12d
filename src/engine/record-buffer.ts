import type { OutgoingBatch, OutgoingRecord } from '../log/log.ts'
import { POSITION_BYTES, writePosition } from '../log/position.ts'
import { SOURCE_HEADER } from '../log/topics.ts'
import type { KeyTable } from './keys.ts'
import { Slab } from './slab.ts'

const FIRST_BYTES = 64 * 1024
const FIRST_RECORDS = 512

/** Tells which records a task that resumes has appended before. */
export interface RecordFilter {
  drops(record: OutgoingRecord): boolean
}

/**
 * Records of one task for one topic, with their source positions, in one buffer: no object a
 * record. `begin`, `key`, then the value into the slab, then `end`; what is begun and not ended is
 * written over.
 */
export class RecordBuffer {
  slab = new Slab(FIRST_BYTES)
  count = 0
  filter: RecordFilter | undefined
  private ends = new Int32Array(3 * FIRST_RECORDS)

  /** Begins a record that came of input `offset` of a partition, as its output `index`. */
  begin(epoch: number, partition: number, offset: number, index: number): void {
    const { slab, count } = this
    if (3 * count === this.ends.length) {
      const wider = new Int32Array(2 * this.ends.length)
      wider.set(this.ends)
      this.ends = wider
    }
    slab.position = count === 0 ? 0 : this.ends[3 * count - 1]!
    slab.room(POSITION_BYTES)
    writePosition(slab.view, slab.position, epoch, partition, offset, index)
    slab.position += POSITION_BYTES
    this.ends[3 * count] = slab.position
  }

  /** Its key is that of a slot. */
  key(keys: KeyTable, slot: number): void {
    const { slab } = this
    slab.room(keys.lengthOf(slot))
    slab.position = keys.copyTo(slot, slab.bytes, slab.position)
    this.ends[3 * this.count + 1] = slab.position
  }

  end(): void {
    this.ends[3 * this.count + 2] = this.slab.position
    if (this.filter?.drops(this.begun()) !== true) this.count++
  }

  /** The record that is being ended, without its value. */
  private begun(): OutgoingRecord {
    const { slab, ends, count } = this
    const start = count === 0 ? 0 : ends[3 * count - 1]!
    const [headerEnd, keyEnd] = [ends[3 * count]!, ends[3 * count + 1]!]
    const headers = { [SOURCE_HEADER]: slab.bytes.subarray(start, headerEnd) }
    return { key: slab.bytes.subarray(headerEnd, keyEnd), value: null, headers }
  }

  /** Hands over what was gathered, and begins anew. */
  take(): OutgoingBatch {
    const { count, ends, slab } = this
    // About as many come next time.
    this.slab = new Slab(Math.max(FIRST_BYTES, slab.position))
    this.ends = new Int32Array(Math.max(3 * FIRST_RECORDS, 3 * count))
    this.count = 0
    return { count, ends, bytes: slab.bytes, begin: 0, header: SOURCE_HEADER }
  }
}
