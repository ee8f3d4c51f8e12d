import { LIMITS } from '../../kernel/limits.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Measurement } from '../../schemas/records.ts'
import { filled, type ReadingEntry, type TimeSpec, type ValueSpec } from '../topic-map.ts'
import { checkChannel, checkNumber, seqOf } from './checks.ts'
import { payloadErrors } from './errors.ts'
import { type JsonReading, kindOf } from './json-reading.ts'
import { LocalClock } from './local-clock.ts'
import { parseTime, timeOfNumber } from './time-text.ts'

/** What stays the same for every message of one meter. */
export interface MappedMeter {
  readonly entry: ReadingEntry
  /** The clock of times that name no zone; undefined where the entry names none either. */
  readonly clock: LocalClock | undefined
}

/**
 * Reads a message by its entry of the topic map.
 *
 * @returns undefined where the message holds none of the entry's values.
 * @throws of `payloadErrors`
 */
export function readMapped(
  message: unknown,
  { entry, clock }: MappedMeter,
  receivedAt: Micros,
): JsonReading | undefined {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw payloadErrors.notReading({ found: kindOf(message) })
  }
  const { when } = entry
  if (when !== undefined && !when.oneOf.includes(when.pointer.get(message))) return undefined
  const found = new Map<string, number>()
  for (const spec of entry.values) gather(message, spec, found)
  if (found.size === 0) return undefined
  const count = found.size
  if (count > LIMITS.measurementsPerReadingMax) throw payloadErrors.tooManyMeasurements({ count })
  const at = timeOf(message, entry.time, clock, receivedAt)
  const seq = seqOf(entry.seq?.get(message))
  const measurements: Measurement[] = []
  for (const [channel, value] of found) measurements.push({ channel, value, quality: 'MEASURED' })
  return { at, seq, measurements }
}

/**
 * The values of one line of the entry. Of two lines for one channel the first that finds one wins.
 */
function gather(message: object, spec: ValueSpec, found: Map<string, number>): void {
  if (spec.unless !== undefined && spec.unless.get(message) !== undefined) return
  spec.pointer.each(message, (value, captures) => {
    const names = new Map(captures.map((capture, i) => [String(i + 1), capture]))
    if (Array.isArray(value) && spec.each !== undefined) {
      for (const [i, item] of value.entries()) {
        names.set('n', String(i + 1))
        take(filled(spec.each, names), item, spec, found)
      }
    } else {
      take(captures.length === 0 ? spec.channel : filled(spec.channel, names), value, spec, found)
    }
  })
}

function take(channel: string, held: unknown, spec: ValueSpec, found: Map<string, number>): void {
  if (held === null || found.has(channel)) return
  const number = spec.numericText && typeof held === 'string' ? numberOf(held) : held
  if (typeof number !== 'number') throw payloadErrors.badValue({ channel, value: kindOf(held) })
  checkChannel(channel)
  const value = number * spec.scale
  checkNumber(channel, value)
  found.set(channel, value)
}

/** A number as JSON writes it; undefined where the text is another. */
function numberOf(text: string): number | undefined {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

function timeOf(
  message: object,
  spec: TimeSpec,
  clock: LocalClock | undefined,
  receivedAt: Micros,
): Micros {
  if (spec.pointer === undefined) return receivedAt
  const held = spec.pointer.get(message)
  if (held === undefined || held === null) {
    if (spec.orReceived) return receivedAt
    throw payloadErrors.noTime({ place: spec.pointer.text })
  }
  if (typeof held === 'number') return timeOfNumber(held)
  if (typeof held !== 'string') {
    throw payloadErrors.badTime({ value: kindOf(held), why: 'it is neither text nor number' })
  }
  if (clock === undefined) return parseTime(held)
  return parseTime(held, (civil, text) => clock.toMicros(civil, text, spec.repeated, receivedAt))
}
