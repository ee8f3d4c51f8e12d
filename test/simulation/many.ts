import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Outcome } from './simulate.ts'

export interface ManyOptions {
  readonly from: number
  readonly seeds: number
  readonly workers?: number
  /** Begins no further seed once one is broken. */
  readonly untilBroken?: boolean
}

export interface ManyOutcome {
  readonly failures: readonly { readonly seed: number; readonly failure: string }[]
  /** How often each thing was reached over all seeds, by name. */
  readonly reached: Readonly<Record<string, number>>
  readonly steps: number
  readonly rowsCompared: number
  readonly seconds: number
}

const WORKER = new URL('worker.ts', import.meta.url)

/** Seeds one after the other on as many cores as there are. */
export async function simulateMany(options: ManyOptions): Promise<ManyOutcome> {
  const beganMs = performance.now()
  const { from, seeds, untilBroken = false } = options
  const failures: { seed: number; failure: string }[] = []
  const reached = new Map<string, number>()
  let next = from
  let steps = 0
  let rowsCompared = 0
  const take = (outcome: Outcome) => {
    steps += outcome.steps
    rowsCompared += outcome.rowsCompared
    for (const [what, times] of outcome.reached) reached.set(what, (reached.get(what) ?? 0) + times)
    const { seed, failure } = outcome
    if (failure !== undefined) failures.push({ seed, failure })
  }
  const workers = Math.min(seeds, options.workers ?? availableParallelism())
  const isOver = () => next >= from + seeds || (untilBroken && failures.length > 0)
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(WORKER)
      const goOn = () => worker.postMessage(isOver() ? null : next++)
      worker.on('message', (outcome: Outcome) => {
        take(outcome)
        goOn()
      })
      worker.on('error', reject)
      worker.on('exit', () => resolve())
      goOn()
    })
  await Promise.all(Array.from({ length: workers }, work))
  const sorted = [...reached].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    failures: failures.sort((a, b) => a.seed - b.seed),
    reached: Object.fromEntries(sorted),
    steps,
    rowsCompared,
    seconds: (performance.now() - beganMs) / 1_000,
  }
}
