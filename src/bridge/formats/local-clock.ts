import { Temporal } from 'temporal-polyfill'
import { LIMITS } from '../../kernel/limits.ts'
import { MICROS_PER_MILLI, type Micros, minutes } from '../../kernel/time.ts'
import { payloadErrors, shown } from './errors.ts'
import type { CivilMicros } from './time-text.ts'

/**
 * What of a local time that a clock shows twice is meant: the earlier, the later, or the one that
 * lies nearer to the moment of receipt, which is right for a device that sends at once.
 */
export type Repeated = 'nearest' | 'first' | 'second'

export const REPEATED: readonly Repeated[] = ['nearest', 'first', 'second']

/**
 * Clocks are put forward and back on the quarter hour: within one, the offset is almost always one.
 */
const BLOCK_MICROS = minutes(15)

/**
 * Offsets from UTC that a local time may have: none where it does not exist, two where it is
 * repeated.
 */
type Offsets = readonly Micros[]

/** The clock on the wall of one time zone. */
export class LocalClock {
  readonly zone: string
  private readonly blocks = new Map<number, Offsets>()

  /** @param zone A name of the time zone database, or an offset such as +01:00. */
  constructor(zone: string) {
    this.zone = zone
  }

  /**
   * @param near Decides where the time is repeated and `repeated` is `nearest`.
   * @throws payload.noSuchLocalTime
   */
  toMicros(civil: CivilMicros, text: string, repeated: Repeated, near: Micros): Micros {
    const offsets = this.offsetsAt(civil)
    const [earlier, later] = offsets
    if (earlier === undefined) {
      throw payloadErrors.noSuchLocalTime({ value: shown(text), zone: this.zone })
    }
    const first = civil - earlier
    if (later === undefined || repeated === 'first') return first
    const second = civil - later
    if (repeated === 'second') return second
    return Math.abs(second - near) < Math.abs(first - near) ? second : first
  }

  private offsetsAt(civil: CivilMicros): Offsets {
    const block = Math.floor(civil / BLOCK_MICROS)
    const known = this.blocks.get(block)
    if (known !== undefined) return known
    const start = block * BLOCK_MICROS
    const atStart = offsetsOf(start, this.zone)
    const atEnd = offsetsOf(start + BLOCK_MICROS - MICROS_PER_MILLI, this.zone)
    // Where a zone changed within the quarter hour, as some did long ago, nothing is remembered.
    if (String(atStart) !== String(atEnd)) return offsetsOf(civil, this.zone)
    if (this.blocks.size >= LIMITS.rememberedNamesMax) this.blocks.clear()
    this.blocks.set(block, atStart)
    return atStart
  }
}

function offsetsOf(civil: CivilMicros, zone: string): Offsets {
  const shownMillis = Math.floor(civil / MICROS_PER_MILLI)
  const plain = Temporal.Instant.fromEpochMilliseconds(shownMillis)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
  const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' })
  const later = plain.toZonedDateTime(zone, { disambiguation: 'later' })
  // In the gap of spring both are moved to a time that exists, and show another one.
  if (!earlier.toPlainDateTime().equals(plain)) return []
  const offset = earlier.offsetNanoseconds / 1_000
  return earlier.equals(later) ? [offset] : [offset, later.offsetNanoseconds / 1_000]
}
