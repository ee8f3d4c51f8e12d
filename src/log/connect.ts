import type { Config } from '../kernel/config.ts'
import { logErrors } from './errors.ts'
import { KafkaLog } from './kafkajs.ts'
import type { Log } from './log.ts'
import { PlatformaticProducer } from './platformatic.ts'

/** The log that the settings name: kafkajs for groups and commits, @platformatic/kafka for producing. */
export function connectLog(
  config: Pick<Config, 'kafkaBrokers'>,
  options: { clientId?: string; warn?: (message: string) => void } = {},
): Promise<Log> {
  const brokers = (config.kafkaBrokers ?? '').split(',').filter((broker) => broker !== '')
  if (brokers.length === 0) {
    return Promise.reject(
      logErrors.unavailable({ brokers: '(none)', what: 'connect', detail: 'no address' }),
    )
  }
  const clientId = options.clientId ?? 'meterloom'
  return Promise.resolve(
    new KafkaLog({
      brokers,
      clientId,
      openProducer: (producerOptions) =>
        Promise.resolve(new PlatformaticProducer(brokers, clientId, producerOptions)),
      ...(options.warn === undefined ? {} : { warn: options.warn }),
    }),
  )
}
