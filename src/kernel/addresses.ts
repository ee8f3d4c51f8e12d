import type { Config } from './config.ts'

/** Where the three servers answer. */
export interface Addresses {
  /** host:port, comma separated. */
  readonly kafkaBrokers: string
  /** QuestDB's HTTP, its user and password included. */
  readonly questdbUrl: string
  readonly databaseUrl: string
}

export interface EmbeddedPorts {
  readonly kafka: number
  readonly questdbHttp: number
  readonly postgres: number
}

/**
 * Where the embedded servers answer on these ports. QuestDB's user and password are its own
 * defaults.
 */
export function embeddedAddresses(ports: EmbeddedPorts): Addresses {
  return {
    kafkaBrokers: `127.0.0.1:${ports.kafka}`,
    questdbUrl: `http://admin:quest@127.0.0.1:${ports.questdbHttp}`,
    databaseUrl: `postgres://postgres:postgres@127.0.0.1:${ports.postgres}/meterloom`,
  }
}

/**
 * The settings with every server's address: the given one, else the embedded server's on its port.
 * So a command of the terminal finds the servers that `meterloom start` has started beside it.
 */
export function withAddresses(config: Config): Config & Addresses {
  const embedded = embeddedAddresses({
    kafka: config.kafkaPort,
    questdbHttp: config.questdbHttpPort,
    postgres: config.postgresPort,
  })
  return {
    ...config,
    kafkaBrokers: config.kafkaBrokers ?? embedded.kafkaBrokers,
    questdbUrl: config.questdbUrl ?? embedded.questdbUrl,
    databaseUrl: config.databaseUrl ?? embedded.databaseUrl,
  }
}
