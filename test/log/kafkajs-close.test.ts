import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { testConfig } from '../support/config.ts'

// Goal: a log that is closed holds no connection, whatever happened before: a process with an open
// one never ends.

const CONNECT = join(import.meta.dirname, '../../src/log/connect.ts')
const run = promisify(execFile)

test('a log whose call was refused can be closed, and its process ends', async () => {
  const { kafkaBrokers, topicPrefix } = testConfig()
  const program = `
    const { connectLog } = await import(${JSON.stringify(CONNECT)})
    const log = await connectLog({ kafkaBrokers: ${JSON.stringify(kafkaBrokers)} })
    const settings = { 'retention.ms': 'for ever' }
    const spec = { topic: ${JSON.stringify(`${topicPrefix}refused`)}, partitions: 1, settings }
    await log.createTopics([spec]).catch((error) => console.log(error.code))
    await log.close()
    console.log('closed')`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60_000,
  })
  assert.equal(stdout, 'log.unavailable\nclosed\n')
})
