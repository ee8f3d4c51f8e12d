import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { register as resink } from '../../src/cli/resink.ts'
import { runCli } from '../../src/cli/run.ts'
import { register as verify } from '../../src/cli/verify.ts'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { dropTables } from '../sinks/support.ts'
import { testConfig } from '../support/config.ts'
import { environmentOf } from '../support/roles.ts'

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const never = new AbortController().signal
  const io = { env, stdout, stderr, terminal: false, interrupted: never, hurried: never }
  const code = await runCli(args, [resink, verify], { ...io, setExitCode: () => undefined })
  stdout.end()
  stderr.end()
  return { code, stdout: await text(stdout), stderr: await text(stderr) }
}

const WRONG: readonly [args: string, says: RegExp][] = [
  ['resink nothing --from 2026-01-01', /TABLE is 'nothing', but must be one of readings, windows/],
  ['resink windows', /required option '--from/],
  ['resink windows --from yesterday', /--from is 'yesterday', but must be a date/],
  ['resink windows --from 2026-02-30', /--from is '2026-02-30'/],
  ['resink windows --from 2026-02-03T05:00:00', /must be a date, or a time with its zone/],
  ['resink windows --from 2026-02-03 --to 2026-02-03', /--to is '2026-02-03', but must be later/],
  ['resink windows --from 2026-02-03', /Rows of windows from 2026-02-03T00.*say so by --yes/],
  ['verify --patience soon', /--patience is 'soon', but must be seconds/],
]

for (const [args, says] of WRONG) {
  test(`meterloom ${args}: says what is wrong, and does nothing`, async () => {
    const { code, stdout, stderr } = await run(args.split(' '))
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, says)
  })
}

test('on empty topics, resink writes nothing and verify agrees', async (t) => {
  const config = testConfig()
  const topics = topicNames(config.topicPrefix)
  const log = await connectLog(config)
  const { partitions } = config
  await log.createTopics(topicSpecs(topics, { partitions, retentionBytes: -1 }))
  t.after(async () => {
    await log.deleteTopics(Object.values(topics) as string[])
    await log.close()
    await dropTables(config.tablePrefix)
  })
  const env = environmentOf(config)
  const resunk = await run(['resink', 'anomalies', '--from', '2020-01-01', '--yes', '--json'], env)
  assert.equal(resunk.code, 0, resunk.stderr)
  const report = JSON.parse(resunk.stdout) as { rows: number; topic: string }
  assert.deepEqual([report.rows, report.topic], [0, topics.anomalies])
  const verified = await run(['verify'], env)
  assert.equal(verified.code, 0, verified.stderr)
  assert.match(verified.stdout, /they agree\n$/)
  const missing = await run(['verify', '--ledger', '/nowhere/ledger'], env)
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /the ledger \/nowhere\/ledger cannot be read/)
})
