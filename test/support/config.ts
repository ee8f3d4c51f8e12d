import { randomBytes } from 'node:crypto'
import { type Addresses, withAddresses } from '../../src/kernel/addresses.ts'
import { type Config, readConfig } from '../../src/kernel/config.ts'

/** A prefix for topics, groups, tables and databases that nobody else has, such as `t3f9a1c20_`. */
export function uniquePrefix(): string {
  return `t${randomBytes(4).toString('hex')}_`
}

/**
 * The settings of a test: the servers of the run, few partitions, a prefix of its own, no logs, and
 * what `overrides` says instead.
 */
export function testConfig(overrides: Partial<Config> = {}): Config & Addresses {
  const prefix = uniquePrefix()
  const config = readConfig({
    KAFKA_BROKERS: process.env['KAFKA_BROKERS'],
    QUESTDB_URL: process.env['QUESTDB_URL'],
    DATABASE_URL: process.env['DATABASE_URL'],
    TOPIC_PREFIX: prefix,
    TABLE_PREFIX: prefix,
    PARTITIONS: '3',
    LOG_LEVEL: 'fatal',
  })
  return withAddresses({ ...config, ...overrides })
}
