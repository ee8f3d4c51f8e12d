import { parseArgs } from 'node:util'
import { connectLog } from '../../src/log/connect.ts'
import { topicNames, topicSpecs } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import { startKafka } from '../support/own-kafka.ts'
import type { Held } from './loop-watch.ts'
import { RestoreRun } from './restore-run.ts'
import type { RestoreReport, Written } from './restore-run.ts'

const HELP = `npm run bench:restore -- [options]

Writes the state of one task of the benchmark's topology to a Kafka of its own while the task takes
readings in, whole and then what has changed, and makes a task anew from it.

  --series N    how many series have windows and a baseline (1000000: several GB and minutes)
  --json        one line for programs`

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function measure(series: number): Promise<RestoreReport> {
  const kafka = await startKafka()
  try {
    const log = await connectLog({ kafkaBrokers: kafka.kafkaBrokers })
    const producer = await log.producer()
    await log.createTopics(topicSpecs(topicNames(), { partitions: 1, retentionBytes: -1 }))
    const report = await new RestoreRun(log, producer, await loadCodecs(), series).run(series)
    await producer.close()
    await log.close()
    return report
  } finally {
    await kafka.stop()
  }
}

const heldText = ({ wallMs, cpuMs }: Held) =>
  `the loop held for ${wallMs.toFixed(0)} ms at most (${cpuMs.toFixed(0)} ms of its own CPU)`

function writtenText({ seconds, megabytes, cpuSeconds, cpuShare, held }: Written): string {
  return (
    `${megabytes.toFixed(0)} MB in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} CPU s, ` +
    `${(100 * cpuShare).toFixed(1)} % of a processor; ${heldText(held)}`
  )
}

if (flags.help) console.log(HELP)
else {
  const report = await measure(Number(flags.series))
  if (flags.json) console.log(JSON.stringify(report))
  else {
    const { series, bytesPerSeries, readings, base, delta, restore } = report
    console.log(`${series} series, ${Math.round(bytesPerSeries)} bytes each`)
    const cost = readings.cpuMicrosPerReading.toFixed(2)
    console.log(`readings alone: ${cost} us of CPU each; ${heldText(readings.held)}`)
    console.log(`whole: ${writtenText(base)}`)
    console.log(`changes: ${writtenText(delta)}`)
    const made = `${restore.seconds.toFixed(1)} s, ${restore.cpuSeconds.toFixed(1)} CPU s`
    console.log(`made anew: ${made}; ${heldText(restore.held)}; it says what the first one says`)
  }
}
