/**
 * `node test/simulation/run.ts --seed 7` simulates one seed and says what broke a promise, with as
 * little as it takes (`--tell`: all that happens); `--seeds 20000 [--from 1]` simulates many, on
 * all cores.
 */
import { parseArgs } from 'node:util'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import type { Outcome } from './simulate.ts'
import { simulateMany } from './many.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    happenings: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    workers: { type: 'string' },
    'until-broken': { type: 'boolean', default: false },
    tell: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

function show(outcome: Outcome): void {
  const { seed, happenings, steps, rowsCompared, trace, failure } = outcome
  const sizes = `${happenings} happenings, ${steps} steps, ${rowsCompared} rows compared`
  console.log(`seed ${seed}: ${failure === undefined ? 'kept' : 'BROKEN'}; ${sizes}; ${trace}`)
  if (failure !== undefined) console.log(failure)
}

async function one(seed: number): Promise<boolean> {
  const happenings =
    values.happenings === undefined ? {} : { happenings: Number(values.happenings) }
  const options = { ...happenings, without: values.without }
  const tell = values.tell ? { tell: (line: string) => console.log(line) } : {}
  const outcome = await simulate(seed, { ...options, ...tell })
  show(outcome)
  if (outcome.failure === undefined) return true
  if (values.tell) return false
  const least = await shrink(outcome, options)
  console.log('\nwith as little as it takes:')
  show(least.outcome)
  console.log(least.line)
  return false
}

async function many(seeds: number): Promise<boolean> {
  const workers = values.workers === undefined ? {} : { workers: Number(values.workers) }
  const untilBroken = values['until-broken']
  const from = Number(values.from)
  const result = await simulateMany({ from, seeds, untilBroken, ...workers })
  const { failures, reached, steps, rowsCompared, seconds } = result
  if (values.json) {
    const broken = failures.map(({ seed }) => seed)
    const figures = { seeds, broken, steps, rowsCompared, seconds, reached: { ...reached } }
    console.log(JSON.stringify(figures))
    return failures.length === 0
  }
  for (const [what, times] of Object.entries(reached)) console.log(`${times} x ${what}`)
  for (const { seed, failure } of failures.slice(0, 10)) {
    console.log(`\nseed ${seed} is BROKEN; again: node test/simulation/run.ts --seed ${seed}`)
    console.log(failure)
  }
  console.log(
    `${seeds} seeds in ${seconds.toFixed(0)} s, ${steps} steps, ${rowsCompared} rows compared, ` +
      `${failures.length} broken`,
  )
  return failures.length === 0
}

const kept =
  values.seed === undefined ? await many(Number(values.seeds)) : await one(Number(values.seed))
process.exitCode = kept ? 0 : 1
