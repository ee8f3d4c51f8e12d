import type { Config } from '../kernel/config.ts'
import { logErrors } from './errors.ts'
import { KafkaLog } from './kafkajs.ts'
import type { Log } from './log.ts'
import { PlatformaticProducer } from './platformatic.ts'

export interface ConnectOptions {
  /** What the broker's logs and quotas call this process. */
  readonly clientId?: string
  /** What a person should know, such as a cluster that keeps fewer copies than it could. */
  readonly warn?: (message: string) => void
}

/**
 * The log that the settings name: kafkajs for topics and offsets, @platformatic/kafka for producing
 * and for ranges. Connects when it is first used.
 */
export function connectLog(
  config: Pick<Config, 'kafkaBrokers'>,
  options: ConnectOptions = {},
): Promise<Log> {
  const brokers = (config.kafkaBrokers ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '')
  if (brokers.length === 0) {
    const detail = 'KAFKA_BROKERS names none'
    return Promise.reject(logErrors.unavailable({ brokers: '(none)', what: 'connect', detail }))
  }
  const { clientId = 'meterloom', warn } = options
  return Promise.resolve(
    new KafkaLog({
      brokers,
      clientId,
      openProducer: (producer) => new PlatformaticProducer(brokers, clientId, producer),
      ...(warn === undefined ? {} : { warn }),
    }),
  )
}
