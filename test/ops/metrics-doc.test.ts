import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import type { RoleName } from '../../src/ops/role.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { testConfig } from '../support/config.ts'
import { testDatabase } from '../support/database.ts'
import { dropTables } from '../support/questdb.ts'
import { onFreePorts, spawnRole } from '../support/roles.ts'

const ROLES: readonly RoleName[] = ['bridge', 'processor', 'worker', 'api']
const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')

/** `name type` of what the table says that a role serves, sorted. */
function documented(role: RoleName): string[] {
  const rows = page.matchAll(/^\| `(\w+)` \| (\w+) \| [^|]*\| ([^|]+) \|/gm)
  return [...rows]
    .filter(([, , , roles]) => roles!.split(', ').includes(role))
    .map(([, name, type]) => `${name!} ${type!}`)
    .sort()
}

/** `name type` of what a role serves, but for what tells of any process, sorted. */
async function served(opsUrl: string): Promise<string[]> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text()
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
  return types
    .filter(([, name]) => !/^(process|nodejs)_/.test(name!))
    .map(([, name, type]) => `${name!} ${type!}`)
    .sort()
}

test('docs/metrics.md tells what each role serves, and nothing else', async (t) => {
  const config = await onFreePorts(testConfig({ databaseUrl: await testDatabase(t) }))
  const log = await connectLog(config)
  const topics = topicNames(config.topicPrefix)
  t.after(async () => {
    await log.deleteTopics(Object.values(topics))
    await log.close()
  })
  await log.createTopics(topicSpecs(topics, config))
  await ensureTables({ questdbUrl: config.questdbUrl, prefix: config.tablePrefix })
  t.after(() => dropTables(config))

  const spawned = ROLES.map((role) => ({ role, process: spawnRole(t, role, config) }))
  for (const { role, process } of spawned) {
    await process.ready()
    assert.deepEqual(await served(process.opsUrl), documented(role), `the ${role}'s metrics`)
  }
})
