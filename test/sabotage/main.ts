import { parseArgs } from 'node:util'
import { openStage } from '../faults/stage.ts'
import { runSabotage } from './run-sabotage.ts'
import { SABOTAGES } from './sabotages.ts'

// `npm run test:sabotage -- [--only TEXT] [--json]`: makes each mistake in turn, and shows that the
// check named beside it finds it. See docs/faults.md.

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
})
const OUTPUT_SHOWN = 3_000
const chosen = SABOTAGES.filter(({ name }) => name.includes(values.only))
const stage = chosen.some(({ needsServers }) => needsServers === true)
  ? await openStage()
  : undefined
if (stage !== undefined) {
  process.env['KAFKA_BROKERS'] = stage.settings.kafkaBrokers
  process.env['QUESTDB_URL'] = stage.settings.questdbUrl
}
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
const outcomes = []
try {
  for (const sabotage of chosen) {
    const outcome = await runSabotage(sabotage)
    outcomes.push(outcome)
    const { name, verdict, check, output } = outcome
    process.stderr.write(`${verdict.padEnd(12)} ${name}: ${check}\n`)
    if (verdict !== 'red') process.stderr.write(`${output.slice(-OUTPUT_SHOWN)}\n`)
  }
} finally {
  await stage?.close()
}
const found = outcomes.filter(({ verdict }) => verdict === 'red').length
if (values.json) {
  const sabotages = outcomes.map(({ name, check, verdict }) => ({ name, check, verdict }))
  process.stdout.write(`${JSON.stringify({ sabotages })}\n`)
} else process.stdout.write(`${found} of ${outcomes.length} mistakes were found\n`)
process.exitCode = found === outcomes.length && found > 0 ? 0 : 1
