import { isUtf8 } from 'node:buffer'
import { LIMITS } from '../../kernel/limits.ts'
import { schemaIdOf, WIRE_HEADER_BYTES } from '../../schemas/codecs.ts'
import { ReadingCursor } from '../../schemas/reading-cursor.ts'
import { type Measurement, QUALITIES, type Reading } from '../../schemas/records.ts'
import { checkChannel, checkNumber, seqOf } from './checks.ts'
import { payloadErrors, shownTime } from './errors.ts'

/**
 * A Reading in the Confluent wire format. It is read by the cursor, which takes no more than the
 * bytes hold: the generic decoder would believe an array's length whatever it is.
 */
export class AvroReadings {
  private readonly cursor = new ReadingCursor()
  private readonly schemaId: number

  constructor(schemaId: number) {
    this.schemaId = schemaId
  }

  /**
   * @param tenant As the topic says, and so must the payload.
   * @throws of `payloadErrors`
   */
  read(bytes: Buffer, tenant: string, meterId: string): Reading {
    const id = schemaIdOf(bytes)
    if (id < 0) throw payloadErrors.damagedAvro({ detail: `it has only ${bytes.length} bytes` })
    if (id !== this.schemaId) throw payloadErrors.unknownSchema({ id, known: this.schemaId })
    const { cursor } = this
    if (!cursor.open(bytes, WIRE_HEADER_BYTES, bytes.length)) throw damaged()
    agree('tenant', textIn(bytes, cursor.tenantStart, cursor.tenantEnd), tenant)
    agree('meterId', textIn(bytes, cursor.meterStart, cursor.meterEnd), meterId)
    const at = cursor.atMicros
    const seq = Number.isFinite(cursor.seq) ? seqOf(cursor.seq) : null
    return { tenant, meterId, at, seq, measurements: this.measurements(bytes) }
  }

  private measurements(bytes: Buffer): Measurement[] {
    const { cursor } = this
    const measurements: Measurement[] = []
    while (cursor.next()) {
      const channel = textIn(bytes, cursor.channelStart, cursor.channelEnd)
      measurements.push({ channel, value: cursor.value, quality: QUALITIES[cursor.quality]! })
    }
    // What the bytes are is known only at their end, and comes before what they say.
    if (cursor.damaged) throw damaged()
    const count = measurements.length
    if (count === 0) throw payloadErrors.noMeasurement({ at: shownTime(cursor.atMicros) })
    if (count > LIMITS.measurementsPerReadingMax) throw payloadErrors.tooManyMeasurements({ count })
    const seen = new Set<string>()
    for (const { channel, value } of measurements) {
      checkChannel(channel)
      checkNumber(channel, value)
      if (seen.has(channel)) throw payloadErrors.duplicateKey({ key: channel })
      seen.add(channel)
    }
    return measurements
  }
}

function damaged() {
  return payloadErrors.damagedAvro({ detail: 'its bytes end early, or go on behind it' })
}

function textIn(bytes: Buffer, start: number, end: number): string {
  if (!isUtf8(bytes.subarray(start, end))) {
    throw payloadErrors.damagedAvro({ detail: 'a text in it is not UTF-8' })
  }
  return bytes.toString('utf8', start, end)
}

function agree(field: string, value: string, topic: string): void {
  if (value !== topic) throw payloadErrors.otherMeter({ field, value, topic })
}
