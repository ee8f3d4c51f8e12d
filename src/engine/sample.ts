import { LIMITS } from '../kernel/limits.ts'
import type { Micros } from '../kernel/time.ts'
import { QUALITIES } from '../schemas/records.ts'
import type { Sample } from './nodes.ts'
import type { SampleStore } from './samples.ts'

/** The one sample object that a series node hands down; filled anew for each measurement. */
export class SampleView implements Sample {
  tenant = ''
  meterId = ''
  channel = ''
  at = 0
  value = 0
  quality = ''
  seq = NaN

  /** `seq` and `quality` as the store has them. */
  is(at: Micros, value: number, seq: number, quality: number): void {
    this.at = at
    this.value = value
    this.seq = seq === -Infinity ? NaN : seq
    this.quality = QUALITIES[quality]!
  }
}

/** Puts a sample in its place. Answers how many others had to be forgotten for it. */
export function insert(
  samples: SampleStore,
  slot: number,
  index: number,
  at: Micros,
  value: number,
  seq: number,
  quality: number,
): number {
  if (samples.insert(slot, index, at, value, seq, quality)) return 0
  // A series that says more than memory is meant for loses the oldest part of its horizon.
  const dropped = LIMITS.samplesPerSeriesMax / 8
  samples.dropFirst(slot, dropped)
  samples.insert(slot, samples.lowerBound(slot, at), at, value, seq, quality)
  return dropped
}

/**
 * Whether a new measurement takes the place of the known one of its identity: by the higher seq,
 * then the better quality, then as the later in the log.
 */
export function wins(
  samples: SampleStore,
  slot: number,
  index: number,
  value: number,
  seq: number,
  quality: number,
): boolean {
  const knownSeq = samples.seqOf(slot, index)
  if (seq !== knownSeq) return seq > knownSeq
  const known = samples.qualityOf(slot, index)
  if (quality !== known) return quality < known
  // The very same again changes nothing, so nothing needs to be written.
  return !Object.is(value, samples.valueOf(slot, index))
}
