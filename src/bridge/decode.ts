import { isName, meterKey } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { OutgoingRecord } from '../log/log.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import { DeadLetters, type LetterMeter } from './dead-letter.ts'
import { AvroReadings } from './formats/avro-reading.ts'
import { checkAge } from './formats/checks.ts'
import { payloadErrors } from './formats/errors.ts'
import { type JsonReading, readJsonReading } from './formats/json-reading.ts'
import { parseJson } from './formats/json-text.ts'
import { LocalClock } from './formats/local-clock.ts'
import { type MappedMeter, readMapped } from './formats/mapped-reading.ts'
import type { Decoded, Decoder, Inbound } from './inbound.ts'
import { filled, type ReadingEntry, type TopicMap } from './topic-map.ts'

export interface DecoderOptions {
  readonly codecs: Codecs
  readonly registry: Registry
  readonly topicMap: TopicMap
  /** undefined: readings of any age are taken. */
  readonly maxAgeDays: number | undefined
  /** Whether meters that the registry does not know are refused. */
  readonly registeredOnly: boolean
}

/** Makes the one decoder of a bridge: it remembers topics and channels that it has seen. */
export function createDecoder(options: DecoderOptions): Decoder {
  return new PayloadDecoder(options)
}

/** Where the messages of one topic go. */
interface MeterRoute extends LetterMeter {
  readonly isRegistered: boolean
  /** undefined: the topic is fleet/{tenant}/{meterId}/readings. */
  readonly mapped: MappedMeter | undefined
}

const FLEET = 'fleet'
const READINGS = 'readings'

const NO_RECORDS: readonly OutgoingRecord[] = []
const NO_REASONS: readonly string[] = []
const IGNORED: Decoded = {
  readings: NO_RECORDS,
  deadLetters: NO_RECORDS,
  reasons: NO_REASONS,
  ignored: 1,
}

class PayloadDecoder implements Decoder {
  private readonly options: DecoderOptions
  private readonly avro: AvroReadings
  private readonly clocks = new Map<string, LocalClock>()
  /** 'ignore' for a topic whose messages hold no readings. */
  private readonly routes = new Map<string, MeterRoute | 'ignore'>()

  constructor(options: DecoderOptions) {
    this.options = options
    this.avro = new AvroReadings(options.codecs.reading.id)
  }

  decode(inbound: Inbound): Decoded {
    let route: MeterRoute | 'ignore' | undefined
    try {
      route = this.routeOf(inbound.mqttTopic)
      if (route === 'ignore') return IGNORED
      this.admit(inbound, route)
      return this.readMessage(inbound, route)
    } catch (error) {
      const letters = new DeadLetters(this.options.codecs['dead-letter'], inbound)
      letters.add(error, route === 'ignore' ? undefined : route, null)
      const { records: deadLetters, reasons } = letters
      return { readings: NO_RECORDS, deadLetters, reasons, ignored: 0 }
    }
  }

  /** What can be said before the payload is looked into. */
  private admit(inbound: Inbound, route: MeterRoute): void {
    const { principal, payload, mqttTopic } = inbound
    const { tenant, meterId } = route
    if (!principal.mayPublish(tenant, meterId)) {
      throw payloadErrors.foreignMeter({ principal: principal.name, tenant, meterId })
    }
    if (this.options.registeredOnly && !route.isRegistered) {
      throw payloadErrors.unregistered({ tenant, meterId })
    }
    const bytes = payload.length
    if (bytes === 0) throw payloadErrors.empty({ topic: mqttTopic })
    if (bytes > LIMITS.readingPayloadBytesMax) throw payloadErrors.tooLong({ bytes })
  }

  private readMessage(inbound: Inbound, route: MeterRoute): Decoded {
    const { payload, receivedAtMicros } = inbound
    const { tenant, meterId, mapped } = route
    // No JSON text begins with the byte that Confluent's wire format begins with.
    if (payload[0] === 0 && mapped === undefined) {
      return this.single(this.avro.read(payload, tenant, meterId), inbound, route)
    }
    const { value, duplicates } = parseJson(payload)
    if (mapped === undefined && Array.isArray(value)) {
      return this.batch(value, duplicates, inbound, route)
    }
    const key = duplicates?.values().next().value
    if (key !== undefined) throw payloadErrors.duplicateKey({ key })
    if (mapped === undefined) return this.single(readJsonReading(value), inbound, route)
    return this.single(readMapped(value, mapped, receivedAtMicros), inbound, route)
  }

  private single(reading: JsonReading | undefined, inbound: Inbound, route: MeterRoute): Decoded {
    const record = reading === undefined ? undefined : this.recordOf(reading, inbound, route)
    if (record === undefined) return IGNORED
    return { readings: [record], deadLetters: NO_RECORDS, reasons: NO_REASONS, ignored: 0 }
  }

  private batch(
    elements: readonly unknown[],
    duplicates: ReadonlyMap<number, string> | undefined,
    inbound: Inbound,
    route: MeterRoute,
  ): Decoded {
    const count = elements.length
    if (count === 0) throw payloadErrors.emptyBatch({ topic: inbound.mqttTopic })
    if (count > LIMITS.readingsPerPublishMax) throw payloadErrors.tooManyReadings({ count })
    const readings: OutgoingRecord[] = []
    let letters: DeadLetters | undefined
    let ignored = 0
    for (let i = 0; i < count; i += 1) {
      try {
        const key = duplicates?.get(i)
        if (key !== undefined) throw payloadErrors.duplicateKey({ key })
        const record = this.recordOf(readJsonReading(elements[i]), inbound, route)
        if (record === undefined) ignored += 1
        else readings.push(record)
      } catch (error) {
        letters ??= new DeadLetters(this.options.codecs['dead-letter'], inbound)
        letters.add(error, route, i)
      }
    }
    const deadLetters = letters?.records ?? NO_RECORDS
    return { readings, deadLetters, reasons: letters?.reasons ?? NO_REASONS, ignored }
  }

  /** undefined where the reading has nothing but nulls. */
  private recordOf(
    { at, seq, measurements }: JsonReading,
    inbound: Inbound,
    { tenant, meterId, key }: MeterRoute,
  ): OutgoingRecord | undefined {
    checkAge(at, inbound.receivedAtMicros, this.options)
    if (measurements.length === 0) return undefined
    const reading = { tenant, meterId, at, seq, measurements }
    return { key, value: this.options.codecs.reading.encode(reading) }
  }

  private routeOf(topic: string): MeterRoute | 'ignore' {
    const known = this.routes.get(topic)
    if (known !== undefined) return known
    const route = this.findRoute(topic)
    if (this.routes.size >= LIMITS.rememberedNamesMax) this.routes.clear()
    this.routes.set(topic, route)
    return route
  }

  private findRoute(topic: string): MeterRoute | 'ignore' {
    const levels = topic.split('/')
    if (levels.length === 4 && levels[0] === FLEET && levels[3] === READINGS) {
      return this.meterRoute(levels[1]!, levels[2]!, undefined)
    }
    for (const entry of this.options.topicMap.entries) {
      const names = entry.pattern.match(topic)
      if (names === undefined) continue
      if (entry.kind === 'ignore') return 'ignore'
      return this.meterRoute(filled(entry.tenant, names), filled(entry.meterId, names), entry)
    }
    throw payloadErrors.unknownTopic({ topic })
  }

  private meterRoute(tenant: string, meterId: string, entry: ReadingEntry | undefined): MeterRoute {
    if (!isName(tenant)) throw payloadErrors.badTopic({ part: 'tenant', value: tenant })
    if (!isName(meterId)) throw payloadErrors.badTopic({ part: 'meter id', value: meterId })
    const { registered: isRegistered, zone } = this.options.registry.meter(tenant, meterId)
    const key = Buffer.from(meterKey(tenant, meterId))
    if (entry === undefined) return { tenant, meterId, key, isRegistered, mapped: undefined }
    const named = entry.time.zone === 'meter' ? zone : entry.time.zone
    const clock = named === undefined ? undefined : this.clockOf(named)
    return { tenant, meterId, key, isRegistered, mapped: { entry, clock } }
  }

  /** One clock for each zone: what it remembers serves all meters there. */
  private clockOf(zone: string): LocalClock {
    let clock = this.clocks.get(zone)
    if (clock === undefined) {
      clock = new LocalClock(zone)
      this.clocks.set(zone, clock)
    }
    return clock
  }
}
