import { parseArgs } from 'node:util'
import { measureSeries } from './scale-series.ts'

const HELP = `npm run bench:scale -- [options]

What a reading of two channels costs and a series takes by the number of series, in one task of the
benchmark's topology (topologies/bench.ts); input and output lie in memory.

  --series LIST    numbers of series (1000,10000,100000,1000000: about 5 GB and several minutes)
  --json           one line for programs`

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '1000,10000,100000,1000000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (flags.help) console.log(HELP)
else {
  const scale = await measureSeries(flags.series.split(',').map(Number))
  const least = scale[0]!.cpuMicrosPerReading
  if (flags.json) console.log(JSON.stringify({ scale }))
  else {
    console.table(
      scale.map(({ series, readings, cpuMicrosPerReading, bytesPerSeries }) => ({
        ...{ series, readings },
        cpuMicrosPerReading: cpuMicrosPerReading.toFixed(2),
        timesTheFirst: (cpuMicrosPerReading / least).toFixed(2),
        bytesPerSeries: Math.round(bytesPerSeries),
      })),
    )
  }
}
