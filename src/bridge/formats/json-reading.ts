import { LIMITS } from '../../kernel/limits.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Measurement, Quality } from '../../schemas/records.ts'
import { checkChannel, checkNumber, qualityOf, seqOf } from './checks.ts'
import { payloadErrors, shown, shownTime } from './errors.ts'
import { parseTime, timeOfNumber } from './time-text.ts'

/**
 * One reading in JSON, in either form:
 *
 *   {"at":TIME, CHANNEL:VALUE..., "seq":n, "quality":"..."}
 *   {"at":TIME, "measurements":{CHANNEL:VALUE...}, "seq":n, "quality":"..."}
 *   VALUE := number | null | {"value":number|null, "quality":"..."}
 */
export interface JsonReading {
  readonly at: Micros
  readonly seq: number | null
  /** Empty where every channel is null: the device says that it measured nothing. */
  readonly measurements: Measurement[]
}

type JsonObject = Record<string, unknown>

/** @throws of `payloadErrors` */
export function readJsonReading(element: unknown): JsonReading {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    throw payloadErrors.notReading({ found: kindOf(element) })
  }
  const object = element as JsonObject
  const at = timeOf(object['at'])
  const seq = seqOf(object['seq'])
  const quality = object['quality']
  const preset = quality === undefined ? 'MEASURED' : qualityOf(quality)
  const long = object['measurements']
  if (long === undefined) return { at, seq, measurements: measurementsOf(object, preset, at, true) }
  if (typeof long !== 'object' || long === null || Array.isArray(long)) {
    throw payloadErrors.badValue({ channel: 'measurements', value: kindOf(long) })
  }
  for (const key in object) {
    if (!HEAD.has(key) && key !== 'measurements') {
      throw payloadErrors.unknownKey({ key, known: 'at, seq, quality, measurements' })
    }
  }
  return { at, seq, measurements: measurementsOf(long as JsonObject, preset, at, false) }
}

const HEAD = new Set(['at', 'seq', 'quality'])

function timeOf(value: unknown): Micros {
  if (typeof value === 'string') return parseTime(value)
  if (typeof value === 'number') return timeOfNumber(value)
  if (value === undefined || value === null) throw payloadErrors.noTime({ place: 'at' })
  throw payloadErrors.badTime({ value: kindOf(value), why: 'it is neither text nor number' })
}

function measurementsOf(
  object: JsonObject,
  preset: Quality,
  at: Micros,
  hasHead: boolean,
): Measurement[] {
  const measurements: Measurement[] = []
  let count = 0
  for (const channel in object) {
    if (hasHead && HEAD.has(channel)) continue
    count += 1
    checkChannel(channel)
    const value = object[channel]
    if (typeof value === 'number') {
      checkNumber(channel, value)
      measurements.push({ channel, value, quality: preset })
    } else if (value !== null) {
      const one = qualified(channel, value, preset)
      if (one !== undefined) measurements.push(one)
    }
  }
  if (count === 0) throw payloadErrors.noMeasurement({ at: shownTime(at) })
  if (count > LIMITS.measurementsPerReadingMax) throw payloadErrors.tooManyMeasurements({ count })
  return measurements
}

/** A value with a quality of its own; undefined where it is null. */
function qualified(channel: string, value: unknown, preset: Quality): Measurement | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw payloadErrors.badValue({ channel, value: kindOf(value) })
  }
  for (const key in value) {
    if (key !== 'value' && key !== 'quality') {
      throw payloadErrors.unknownKey({ key, known: `value and quality in ${shown(channel)}` })
    }
  }
  const { value: number, quality } = value as { value?: unknown; quality?: unknown }
  const own = quality === undefined ? preset : qualityOf(quality)
  if (number === null) return undefined
  if (typeof number !== 'number') {
    throw payloadErrors.badValue({ channel, value: kindOf(number) })
  }
  checkNumber(channel, number)
  return { channel, value: number, quality: own }
}

/** What a JSON value is, for people. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? `the text ${shown(value)}` : shown(value)
}
