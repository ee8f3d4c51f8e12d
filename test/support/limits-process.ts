import { appendFileSync } from 'node:fs'
import { MemoryTables } from '../../src/engine/memory-tables.ts'
import { startRuntime } from '../../src/engine/runtime.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { limitsPipeline } from './limits-topology.ts'
import { testRegistry } from './registry.ts'
import { testConfig } from './config.ts'

/**
 * A process that runs the limits topology on Kafka until it is killed. Its rows go to a file, a
 * line each, which a kill leaves as it is: `limits-process.ts PREFIX FILE`.
 */
const [prefix = '', file = ''] = process.argv.slice(2)
const config = testConfig()
const topics = topicNames(prefix)
const log = await connectLog(config)
await startRuntime({
  ...{ log, topics, input: topics.readings, group: `${prefix}limits`, epoch: 0 },
  pipeline: limitsPipeline('effective-dated'),
  registry: testRegistry(),
  codecs: await loadCodecs(),
  tables: {
    write(batch) {
      const tables = new MemoryTables()
      tables.upsert(batch)
      const rows = tables.rows(batch.spec.table)
      appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  },
  onFailed: (error) => {
    console.error(error)
    process.exit(1)
  },
})
