import { parseArgs } from 'node:util'
import { reportText } from './report.ts'
import { runScenarios } from './run-scenarios.ts'
import { FULL, QUICK } from './sizes.ts'

// `npm run test:faults -- [--only 1,2] [--quick] [--json] [--runs TIMES] [--seed N] [--meters N]
// [--rate MESSAGES_A_SECOND]`: see docs/faults.md.

// The servers end with their parent, and the roles when they hear no more of it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    meters: { type: 'string' },
    rate: { type: 'string' },
  },
})
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
const usual = values.quick ? QUICK : FULL
const results = await runScenarios({
  only: values.only?.split(',').map(Number),
  isQuick: values.quick,
  times: Number(values.runs),
  seed: Number(values.seed),
  size: {
    meters: Number(values.meters ?? usual.meters),
    warmUpMinutes: usual.warmUpMinutes,
    messagesPerSecond: Number(values.rate ?? usual.messagesPerSecond),
  },
  say: (text) => process.stderr.write(`${text}\n`),
})
process.stdout.write(
  values.json ? `${JSON.stringify({ scenarios: results })}\n` : reportText(results),
)
process.exitCode =
  results.length > 0 && results.every(({ failures }) => failures.length === 0) ? 0 : 1
