import type { Micros } from '../kernel/time.ts'
import type { OutgoingRecord } from '../log/log.ts'

/**
 * What lies between the sources of messages and the formats of their payloads.
 *
 * - inbound: one MQTT message as it came, from a device at our listener or from a broker.
 * - principal: who sent it, and for which meters it may speak.
 * - decoded: what becomes of it: records for the log, never an exception.
 */
export interface Inbound {
  readonly source: 'listener' | 'broker'
  readonly mqttTopic: string
  readonly clientId: string
  /** May be a part of what the socket gave: what outlives the call is copied. */
  readonly payload: Buffer
  readonly receivedAtMicros: Micros
  readonly principal: Principal
}

/** Records for the topics `readings` and `dead-letters`, in the order of the message. */
export interface Decoded {
  readonly readings: readonly OutgoingRecord[]
  readonly deadLetters: readonly OutgoingRecord[]
  /** Why, one for each of `deadLetters`: its error's code, such as `payload.inFuture`. */
  readonly reasons: readonly string[]
  /**
   * Messages and elements that are whole but hold no reading (a button, a state, a null for every
   * channel): neither stored nor refused, but to be counted.
   */
  readonly ignored: number
}

/** `decode` never throws on input: what cannot be read is a dead letter. */
export interface Decoder {
  decode(inbound: Inbound): Decoded
}

export interface Principal {
  readonly name: string
  mayPublish(tenant: string, meterId: string): boolean
}
