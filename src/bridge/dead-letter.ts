import { createHash } from 'node:crypto'
import { MeterloomError, messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { OutgoingRecord } from '../log/log.ts'
import type { Codec } from '../schemas/codecs.ts'
import type { DeadLetter } from '../schemas/records.ts'
import { payloadErrors } from './formats/errors.ts'
import { JsonOutline } from './formats/json-outline.ts'
import type { Inbound } from './inbound.ts'

/** Whose reading it would have been. */
export interface LetterMeter {
  readonly tenant: string
  readonly meterId: string
  readonly key: Buffer
}

/**
 * The dead letters of one message. Each holds the message's first 64 KiB; one element of a batch
 * holds its own bytes alone, so that a batch of bad elements does not become as many copies of the
 * whole.
 *
 * Their key is the meter's, so that what a meter sent wrong lies beside each other in its order;
 * where no meter is known it is the MQTT topic.
 */
export class DeadLetters {
  readonly records: OutgoingRecord[] = []
  readonly reasons: string[] = []
  private readonly codec: Codec<DeadLetter>
  private readonly inbound: Inbound
  private sha256: string | undefined
  private outline: JsonOutline | undefined

  constructor(codec: Codec<DeadLetter>, inbound: Inbound) {
    this.codec = codec
    this.inbound = inbound
  }

  /** @param element Which one of a batch; null for the whole message. */
  add(error: unknown, meter: LetterMeter | undefined, element: number | null): void {
    const { source, mqttTopic, clientId, payload, receivedAtMicros } = this.inbound
    const { code, message } = reasonOf(error)
    this.sha256 ??= createHash('sha256').update(payload).digest('hex')
    const letter: DeadLetter = {
      receivedAt: receivedAtMicros,
      source,
      mqttTopic,
      clientId,
      tenant: meter?.tenant ?? null,
      meterId: meter?.meterId ?? null,
      reason: code,
      detail: message,
      element,
      length: payload.length,
      sha256: this.sha256,
      bytes: this.bytesOf(element),
    }
    const key = meter?.key ?? Buffer.from(mqttTopic)
    this.records.push({ key, value: this.codec.encode(letter) })
    this.reasons.push(code)
  }

  private bytesOf(element: number | null): Buffer {
    const { payload } = this.inbound
    if (element === null) return payload.subarray(0, LIMITS.deadLetterBytesMax)
    this.outline ??= new JsonOutline(payload)
    return this.outline.element(element)
  }
}

/** An error that is none of ours is a mistake in the decoder: the message is kept all the same. */
function reasonOf(error: unknown): MeterloomError {
  if (error instanceof MeterloomError && error.code.startsWith('payload.')) return error
  return payloadErrors.unforeseen({ detail: messageOf(error) }, error)
}
