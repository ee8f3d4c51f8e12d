import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { mirrorRegistry } from '../../src/sinks/registry-mirror.ts'
import { ensureTables } from '../../src/sinks/tables.ts'

/**
 * Creates the topics and tables that are missing, sees that those that are there are as wanted, and
 * mirrors the registry for analysts.
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

async function prepareTables(config: Config & Addresses): Promise<void> {
  const { questdbUrl, tablePrefix: prefix } = config
  // A mistake in the files is told before anything is made of them.
  const registry = await loadRegistry(config)
  await ensureTables({ questdbUrl, prefix })
  await mirrorRegistry({ questdbUrl, prefix, registry })
}
