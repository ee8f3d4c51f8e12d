import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'

/** An address without the password that it may hold. */
function shown(address: string): string {
  if (!URL.canParse(address)) return address
  const url = new URL(address)
  url.username = ''
  url.password = ''
  return url.href.replace(/\/$/, '')
}

/** What a person needs to know to use what has started. */
export function addressLines(config: Config & Addresses): readonly string[] {
  const embeddedQuestdb = config.questdbUrl.endsWith(`@127.0.0.1:${config.questdbHttpPort}`)
  const sql = `psql postgres://user:quest@127.0.0.1:${config.questdbPgPort}/qdb (reads only)`
  // An address that means all interfaces is none to open.
  const everywhere = config.bindAddress === '0.0.0.0' || config.bindAddress === '::'
  const host = everywhere ? '127.0.0.1' : config.bindAddress
  const api = `http://${host.includes(':') ? `[${host}]` : host}:${config.apiPort}`
  return [
    `MQTT       mqtt://${config.bindAddress}:${config.mqttPort}`,
    `api        ${api}/api/docs`,
    `QuestDB    ${shown(config.questdbUrl)}`,
    ...(embeddedQuestdb ? [`           ${sql}`] : []),
    `Kafka      ${config.kafkaBrokers}`,
    `Postgres   ${shown(config.databaseUrl)}`,
    `logs       ${config.dataDir}/logs`,
    `dashboard  ${api}/`,
  ]
}
