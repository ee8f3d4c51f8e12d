import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { ensureTables } from '../../src/sinks/tables.ts'

/**
 * Creates the topics and tables that are missing, and sees that those that are there are as wanted.
 */
export async function prepareStores(
  config: Config & Addresses,
  warn: (line: string) => void,
): Promise<void> {
  await Promise.all([prepareTopics(config, warn), prepareTables(config)])
}

async function prepareTopics(
  config: Config & Addresses,
  warn: (line: string) => void,
): Promise<void> {
  const log = await connectLog(config, { clientId: 'meterloom-start', warn })
  try {
    await log.createTopics(topicSpecs(topicNames(config.topicPrefix), config))
  } finally {
    await log.close()
  }
}

async function prepareTables({ questdbUrl, tablePrefix }: Config & Addresses): Promise<void> {
  await ensureTables({ questdbUrl, prefix: tablePrefix })
}
