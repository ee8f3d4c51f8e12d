import { errorTable } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { formatMicros, type Micros } from '../../kernel/time.ts'

/** Characters of a wrong value that its error shows: what comes in may be anything, and long. */
const SHOWN_MAX = 60

/** A value as errors show it. */
export function shown(value: unknown): string {
  // Infinity is what JSON's 1e999 becomes, and JSON would call it null again.
  const isJson = typeof value === 'string' || typeof value === 'object'
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- no object comes here
  const text = isJson ? JSON.stringify(value) : String(value)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
}

/** A time as errors show it. Beyond the year 9999 there is no ISO text of four digits. */
export function shownTime(at: Micros): string {
  return at < 253_402_300_800e6 ? formatMicros(at) : `${at / 1e6} s since 1970`
}

const EARLIEST = formatMicros(LIMITS.earliestAtMicros)
const KIB_MAX = LIMITS.readingPayloadBytesMax / 1024

/**
 * Why a message, or one element of one, is no reading. The codes are the reasons of the dead
 * letters and are listed in docs/readings.md.
 */
export const payloadErrors = errorTable('payload', {
  // The message as a whole
  unknownTopic: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string }) =>
      `nothing is known of topic '${shown(f.topic)}'; publish on ` +
      'fleet/{tenant}/{meterId}/readings, or ' +
      'name the topic in TOPIC_MAP_FILE',
  },
  badTopic: {
    domain: 'user',
    retryable: false,
    message: (f: { part: string; value: string }) =>
      `the ${f.part} in the topic is ${shown(f.value)}; it needs 1 to ${LIMITS.nameLengthMax} ` +
      'characters, none of them + # or a control character',
  },
  foreignMeter: {
    domain: 'user',
    retryable: false,
    message: (f: { principal: string; tenant: string; meterId: string }) =>
      `'${shown(f.principal)}' may not publish for ${f.tenant}/${f.meterId}; allow it in ` +
      'CREDENTIALS_FILE',
  },
  unregistered: {
    domain: 'user',
    retryable: false,
    message: (f: { tenant: string; meterId: string }) =>
      `${f.tenant}/${f.meterId} is not registered; add it to METERS_FILE, or unset REGISTERED_ONLY`,
  },
  empty: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string }) =>
      `a message on ${shown(f.topic)} has no bytes; send JSON or Avro`,
  },
  tooLong: {
    domain: 'user',
    retryable: false,
    message: (f: { bytes: number }) =>
      `the payload is too long: ${f.bytes} bytes, above ${KIB_MAX} KiB; send fewer ` +
      'readings in one',
  },
  notText: {
    domain: 'user',
    retryable: false,
    message: (f: { bytes: number }) =>
      `the payload of ${f.bytes} bytes is not UTF-8, as JSON must be, nor does it begin as Avro ` +
      'does',
  },
  notJson: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) => `the payload is no JSON: ${f.detail}`,
  },
  tooDeep: {
    domain: 'user',
    retryable: false,
    message: (f: { depth: number }) =>
      `the JSON is nested ${f.depth} deep, above ${LIMITS.jsonDepthMax}`,
  },
  tooManyReadings: {
    domain: 'user',
    retryable: false,
    message: (f: { count: number }) =>
      `the array has ${f.count} elements, above ${LIMITS.readingsPerPublishMax}; send it in parts`,
  },
  emptyBatch: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string }) =>
      `an array on ${shown(f.topic)} has no element; send at least one reading`,
  },
  unknownSchema: {
    domain: 'user',
    retryable: false,
    message: (f: { id: number; known: number }) =>
      `schema id ${f.id} is not known; write a Reading with id ${f.known}`,
  },
  damagedAvro: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) =>
      `the Avro body is no Reading: ${f.detail}; encode it with schemas/reading.avsc`,
  },
  otherMeter: {
    domain: 'user',
    retryable: false,
    message: (f: { field: string; value: string; topic: string }) =>
      `the payload's ${f.field} is ${shown(f.value)}, but the topic says ${shown(f.topic)}`,
  },

  // One reading
  notReading: {
    domain: 'user',
    retryable: false,
    message: (f: { found: string }) =>
      'a reading is a JSON object such as ' +
      `{"at":"2026-11-20T00:00:00Z","power_w":512.5}, not ${f.found}`,
  },
  duplicateKey: {
    domain: 'user',
    retryable: false,
    message: (f: { key: string }) =>
      `${shown(f.key)} stands twice in one object: which of the two is meant cannot be known`,
  },
  unknownKey: {
    domain: 'user',
    retryable: false,
    message: (f: { key: string; known: string }) =>
      `${shown(f.key)} is no key that is known here; there may be ${f.known}`,
  },
  noMeasurement: {
    domain: 'user',
    retryable: false,
    message: (f: { at: string }) =>
      `the reading of ${f.at} has no channel; add one, such as "power_w":512.5`,
  },
  tooManyMeasurements: {
    domain: 'user',
    retryable: false,
    message: (f: { count: number }) =>
      `the reading has ${f.count} channels, above ${LIMITS.measurementsPerReadingMax}`,
  },
  badChannel: {
    domain: 'user',
    retryable: false,
    message: (f: { channel: string }) =>
      `${shown(f.channel)} is no name of a channel; it needs 1 to ${LIMITS.nameLengthMax} ` +
      'characters, ' +
      'none of them / + # or a control character, and none of the names that JavaScript keeps',
  },
  badValue: {
    domain: 'user',
    retryable: false,
    message: (f: { channel: string; value: string }) =>
      `${shown(f.channel)} is ${f.value}; a value is a number, null where there is none, or ` +
      '{"value":number,"quality":text}',
  },
  notFinite: {
    domain: 'user',
    retryable: false,
    message: (f: { channel: string; value: number }) =>
      `${shown(f.channel)} is ${f.value}, which is no quantity; leave the channel out`,
  },
  outOfRange: {
    domain: 'user',
    retryable: false,
    message: (f: { channel: string; value: number }) =>
      `${shown(f.channel)} is ${f.value}, beyond +-${LIMITS.valueMagnitudeMax}; use a larger unit`,
  },
  badSeq: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string }) =>
      `seq is ${f.value}; it must be a whole number up to 2^53 - 1 in magnitude`,
  },
  badQuality: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string }) =>
      `quality is ${f.value}; it must be MEASURED, ESTIMATED, SUSPECT or BAD`,
  },

  // Its time
  noTime: {
    domain: 'user',
    retryable: false,
    message: (f: { place: string }) => `${f.place} is missing; say when it was measured`,
  },
  badTime: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string; why: string }) =>
      `${f.value} is no time: ${f.why}; write it as 2026-11-20T00:00:00Z`,
  },
  noZone: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string }) =>
      `${f.value} has no zone; end it with Z or an offset such as +01:00, or name its zone in ` +
      'TOPIC_MAP_FILE',
  },
  noSuchLocalTime: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string; zone: string }) =>
      `${f.value} does not exist in ${f.zone}, where the clock is put forward over it`,
  },
  tooEarly: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string }) =>
      `the time ${f.value} lies before ${EARLIEST}; set the device's clock`,
  },
  tooOld: {
    domain: 'user',
    retryable: false,
    message: (f: { at: string; days: number }) =>
      `${f.at} is older than ${f.days} days; raise MAX_AGE_DAYS to let it in`,
  },
  inFuture: {
    domain: 'user',
    retryable: false,
    message: (f: { at: string; receivedAt: string }) =>
      `${f.at} lies more than ${LIMITS.futureMicrosMax / 60e6} min after its arrival at ` +
      `${f.receivedAt}; set the device's clock, or its zone`,
  },

  unforeseen: {
    domain: 'internal',
    retryable: false,
    message: (f: { detail: string }) =>
      `the decoder has failed: ${f.detail}; this is an error of Meterloom, please report it`,
  },
})
