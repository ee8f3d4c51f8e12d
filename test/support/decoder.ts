import { createDecoder, type DecoderOptions } from '../../src/bridge/decode.ts'
import type { Decoded, Inbound } from '../../src/bridge/inbound.ts'
import { loadTopicMap } from '../../src/bridge/topic-map-file.ts'
import { readConfig } from '../../src/kernel/config.ts'
import type { Micros } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { type Codecs, loadCodecs } from '../../src/schemas/codecs.ts'
import type { DeadLetter, Reading } from '../../src/schemas/records.ts'

/** 2026-11-21T12:00:00Z: when the messages of these tests arrive. */
export const NOW: Micros = Date.UTC(2026, 10, 21, 12) * 1_000

/** What became of one message, decoded again. */
export interface Outcome {
  readonly readings: readonly Reading[]
  readonly deadLetters: readonly DeadLetter[]
  readonly ignored: number
  readonly raw: Decoded
}

export interface TestDecoder {
  readonly codecs: Codecs
  decode(topic: string, payload: string | Buffer, inbound?: Partial<Inbound>): Outcome
}

/** A decoder with the committed configuration, and with what `options` says instead. */
export async function testDecoder(options: Partial<DecoderOptions> = {}): Promise<TestDecoder> {
  const config = readConfig({})
  const codecs = await loadCodecs()
  const registry = options.registry ?? (await loadRegistry(config))
  const topicMap = options.topicMap ?? (await loadTopicMap(config, registry))
  const base = { codecs, registry, topicMap, maxAgeDays: undefined, registeredOnly: false }
  const decoder = createDecoder({ ...base, ...options })
  const principal = { name: 'open', mayPublish: () => true }
  return {
    codecs,
    decode(topic, payload, inbound = {}) {
      const raw = decoder.decode({
        source: 'listener',
        mqttTopic: topic,
        clientId: 'client-1',
        payload: Buffer.from(payload as string),
        receivedAtMicros: NOW,
        principal,
        ...inbound,
      })
      return {
        readings: raw.readings.map(({ value }) => codecs.reading.decode(value!)),
        deadLetters: raw.deadLetters.map(({ value }) => codecs['dead-letter'].decode(value!)),
        ignored: raw.ignored,
        raw,
      }
    },
  }
}

/** The channels and values of a reading. */
export function valuesOf(reading: Reading | undefined): Record<string, number> {
  return Object.fromEntries(
    (reading?.measurements ?? []).map(({ channel, value }) => [channel, value]),
  )
}
