import { join, resolve } from 'node:path'
import { errorTable } from './errors.ts'
import { isName } from './ids.ts'

/**
 * The settings, declared field by field: name in the environment, what it means, default, example.
 * The README's table is made from here. Nothing else reads `process.env` for a setting.
 */

export const configErrors = errorTable('config', {
  badSetting: {
    domain: 'user',
    retryable: false,
    message: (f: { env: string; value: string; wants: string }) =>
      `${f.env} is '${f.value}', but must be ${f.wants}`,
  },
})

export interface Setting<T> {
  readonly env: string
  readonly description: string
  /** As it would be written in the environment; undefined: not set. */
  readonly default: string | undefined
  readonly example: string
  readonly secret: boolean
  /**
   * Names a file or folder: the default lies in the checkout, a given one where the process stands.
   */
  readonly isPath: boolean
  parse(text: string): T
}

const ROOT = resolve(import.meta.dirname, '../..')

type Options = { default?: string; example: string; secret?: boolean; isPath?: boolean }

function setting<T>(
  env: string,
  description: string,
  options: Options,
  parse: (text: string, env: string) => T,
): Setting<T> {
  return {
    env,
    description,
    default: options.default,
    example: options.example,
    secret: options.secret ?? false,
    isPath: options.isPath ?? false,
    parse: (text) => parse(text, env),
  }
}

const text = (env: string, description: string, options: Options) =>
  setting(env, description, options, (value) => value)

const path = (env: string, description: string, options: Options) =>
  text(env, description, { ...options, isPath: true })

const whole = (env: string, description: string, min: number, max: number, options: Options) =>
  setting(env, description, options, (value) => {
    const n = Number(value)
    if (!Number.isInteger(n) || n < min || n > max || value.trim() === '') {
      throw configErrors.badSetting({ env, value, wants: `a whole number from ${min} to ${max}` })
    }
    return n
  })

const port = (env: string, preset: number, description: string) =>
  whole(env, description, 1, 65_535, { default: String(preset), example: String(preset + 10_000) })

const yesNo = (env: string, description: string, preset: boolean) =>
  setting(env, description, { default: String(preset), example: String(!preset) }, (value) => {
    if (value === 'true' || value === '1') return true
    if (value === 'false' || value === '0') return false
    throw configErrors.badSetting({ env, value, wants: 'true or false' })
  })

export const SETTINGS = {
  dataDir: path('METERLOOM_DATA', 'Where the embedded servers keep their data and logs', {
    default: '.meterloom',
    example: '/var/lib/meterloom',
  }),
  bindAddress: text('BIND_ADDRESS', 'Address that the MQTT listener and the api listen on', {
    default: '127.0.0.1',
    example: '0.0.0.0',
  }),
  opsBindAddress: text('OPS_BIND_ADDRESS', 'Address that /health, /ready and /metrics listen on', {
    default: '127.0.0.1',
    example: '0.0.0.0',
  }),
  scrapeToken: text(
    'SCRAPE_TOKEN',
    'Bearer token that /metrics asks for; open where it is not set',
    {
      example: 'a long random string',
      secret: true,
    },
  ),
  mqttPort: port('MQTT_PORT', 1883, 'MQTT listener of the bridge'),
  kafkaPort: port('KAFKA_PORT', 9092, 'Embedded Kafka'),
  questdbHttpPort: port('QUESTDB_HTTP_PORT', 9000, 'Embedded QuestDB, HTTP'),
  questdbPgPort: port('QUESTDB_PG_PORT', 8812, 'Embedded QuestDB, Postgres wire'),
  postgresPort: port('POSTGRES_PORT', 5432, 'Embedded Postgres'),
  apiPort: port('API_PORT', 8080, 'The api'),
  bridgeOpsPort: port('BRIDGE_OPS_PORT', 9464, "The bridge's /health, /ready and /metrics"),
  processorOpsPort: port(
    'PROCESSOR_OPS_PORT',
    9465,
    "The processor's /health, /ready and /metrics",
  ),
  processorInstances: whole(
    'PROCESSOR_INSTANCES',
    'Processors that `meterloom start` runs; the ops port of each is 100 above the one before',
    1,
    64,
    { default: '1', example: '2' },
  ),
  workerOpsPort: port('WORKER_OPS_PORT', 9466, "The worker's /health, /ready and /metrics"),
  readyUrls: setting(
    'READY_URLS',
    "The roles' /ready that the api's /ready asks; those of this machine where not set",
    { default: '', example: 'http://bridge-1:9464/ready,http://processor-1:9465/ready' },
    (value, env) => {
      const urls = value.split(',').filter((url) => url !== '')
      if (urls.every((url) => URL.canParse(url))) return urls
      throw configErrors.badSetting({ env, value, wants: 'URLs, with commas between them' })
    },
  ),
  kafkaBrokers: text('KAFKA_BROKERS', 'Kafka to use instead of the embedded one', {
    example: 'kafka-1:9092,kafka-2:9092',
  }),
  questdbUrl: text('QUESTDB_URL', 'QuestDB to use instead of the embedded one, HTTP', {
    example: 'http://admin:quest@questdb:9000',
    secret: true,
  }),
  databaseUrl: text('DATABASE_URL', 'Postgres to use instead of the embedded one', {
    example: 'postgres://meterloom@db/meterloom',
    secret: true,
  }),
  schemaRegistryUrl: text(
    'SCHEMA_REGISTRY_URL',
    'Schema registry to use instead of the fixed ids',
    {
      example: 'http://registry:8081',
      secret: true,
    },
  ),
  mqttUrl: text('MQTT_URL', 'Broker to subscribe at, as a second source beside the listener', {
    example: 'mqtt://user:password@broker:1883',
    secret: true,
  }),
  partitions: whole('PARTITIONS', 'Partitions of the topics, fixed for their life', 1, 1_000, {
    default: '12',
    example: '48',
  }),
  retentionBytes: whole(
    'RETENTION_BYTES',
    'Bytes a partition keeps; -1 for no cap beside the 7 days',
    -1,
    Number.MAX_SAFE_INTEGER,
    { default: '268435456', example: '-1' },
  ),
  topicPrefix: text('TOPIC_PREFIX', 'Put before every topic and consumer group', {
    default: '',
    example: 'staging-',
  }),
  tablePrefix: text('TABLE_PREFIX', 'Put before every QuestDB table', {
    default: '',
    example: 'staging_',
  }),
  processorGroup: text('PROCESSOR_GROUP', 'Consumer group of the processors', {
    default: 'meterloom-processors',
    example: 'meterloom-processors-b',
  }),
  logEpoch: whole(
    'LOG_EPOCH',
    'How often the readings topic was made anew; part of revisions',
    0,
    511,
    {
      default: '0',
      example: '1',
    },
  ),
  backfill: yesNo('BACKFILL', 'Compute all state again from the retained log, once', false),
  dropState: setting(
    'DROP_STATE',
    'Nodes of the topology that begin without their past, once',
    { default: '', example: 'rolling-baseline/baseline,spikes/spike' },
    (value) => value.split(',').filter((node) => node !== ''),
  ),
  seriesRetentionDays: whole(
    'SERIES_RETENTION_DAYS',
    'Days of append time after which a series that says nothing is forgotten, and begins cold',
    1,
    36_500,
    { default: '35', example: '90' },
  ),
  metersFile: path('METERS_FILE', 'Meters, their zones, intervals and disorder', {
    default: 'config/meters.json',
    example: '/etc/meterloom/meters.json',
  }),
  channelsFile: path('CHANNELS_FILE', 'Channels: kind, unit, label, rollover, maximum gap', {
    default: 'config/channels.json',
    example: '/etc/meterloom/channels.json',
  }),
  topicMapFile: path('TOPIC_MAP_FILE', 'MQTT topics of real devices and how to read them', {
    default: 'config/topic-map.json',
    example: '/etc/meterloom/topic-map.json',
  }),
  credentialsFile: path(
    'CREDENTIALS_FILE',
    'Devices and the hashes of their tokens; open where not set',
    {
      example: '/etc/meterloom/credentials.json',
    },
  ),
  maxAgeDays: whole(
    'MAX_AGE_DAYS',
    'Readings older than this are dead letters; any age where not set',
    1,
    36_500,
    {
      example: '400',
    },
  ),
  registeredOnly: yesNo('REGISTERED_ONLY', 'Refuse meters that are not in METERS_FILE', false),
  apiTenant: setting(
    'API_TENANT',
    'Tenant that the api answers for',
    { default: 'demo', example: 'north-grid' },
    (value, env) => {
      if (isName(value)) return value
      throw configErrors.badSetting({ env, value, wants: 'a name without slash and wildcard' })
    },
  ),
  liveSecret: text(
    'LIVE_SECRET',
    'Signs the resume tokens of the live feed; the same for all api processes, ' +
      'else they hold at one',
    { example: 'a long random string', secret: true },
  ),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error or silent', {
    default: 'info',
    example: 'debug',
  }),
} as const

type Parsed<S> = S extends Setting<infer T> ? T : never

/** Settings that have no default are undefined where they are not set. */
type Unset =
  | 'scrapeToken'
  | 'kafkaBrokers'
  | 'questdbUrl'
  | 'databaseUrl'
  | 'schemaRegistryUrl'
  | 'mqttUrl'
  | 'credentialsFile'
  | 'liveSecret'
  | 'maxAgeDays'

export type Config = {
  readonly [K in keyof typeof SETTINGS]: K extends Unset
    ? Parsed<(typeof SETTINGS)[K]> | undefined
    : Parsed<(typeof SETTINGS)[K]>
}

function presetOf(field: Setting<unknown>): string | undefined {
  return field.isPath && field.default !== undefined ? join(ROOT, field.default) : field.default
}

/** @throws config.badSetting naming the variable, its value and what it must be. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const config: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(SETTINGS)) {
    const given = env[field.env]
    const chosen = given === undefined || given === '' ? presetOf(field) : given
    const value = chosen === undefined ? undefined : field.parse(chosen)
    config[name] = field.isPath && typeof value === 'string' ? resolve(value) : value
  }
  return config as Config
}
