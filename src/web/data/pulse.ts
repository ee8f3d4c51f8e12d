import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Pipeline } from '../../api/contract/overview.ts'
import { ask } from '../rest/ask.ts'
import type { ProblemError } from '../rest/problem.ts'
import { type StageName, rateBetween } from './rates.ts'

/** The pipeline's state, looked at while a page shows it, with the rates of the last minutes. */

export const PULSE_MS = 2_000
/** Five minutes. */
const STEPS_MAX = 150
/** A minute: less than that looks like more than it is. */
const STEPS_MIN = 30

/** How many looks a line over time is wide: it grows with what is known. */
export const stepsShown = (known: readonly unknown[]) =>
  Math.min(STEPS_MAX, Math.max(STEPS_MIN, known.length))

export type Rates = Readonly<Record<StageName, readonly (number | null)[]>>

export const pipeline = signal<Pipeline | undefined>(undefined)
export const pulseProblem = signal<ProblemError | undefined>(undefined)
export const rates = signal<Rates>({ bridge: [], processor: [], questdb: [], live: [] })

let watchers = 0
let timer: ReturnType<typeof setTimeout> | undefined

async function look(): Promise<void> {
  try {
    if (!document.hidden) take(await ask<Pipeline>('/api/pipeline'))
    pulseProblem.value = undefined
  } catch (error) {
    pulseProblem.value = error as ProblemError
  }
  clearTimeout(timer)
  if (watchers > 0) timer = setTimeout(() => void look(), PULSE_MS)
}

function take(next: Pipeline): void {
  const before = pipeline.peek()
  const grown = Object.entries(rates.peek()).map(([stage, known]) => {
    const rate = rateBetween(before, next, stage as StageName)
    return [stage, [...known, rate].slice(-STEPS_MAX)]
  })
  pipeline.value = next
  rates.value = Object.fromEntries(grown) as Rates
}

export const lookAgain = () => void look()

/** Looks at the pipeline for as long as the component is there. */
export function usePulse(): void {
  useEffect(() => {
    if (watchers++ === 0) void look()
    return () => {
      watchers--
      if (watchers === 0) clearTimeout(timer)
    }
  }, [])
}
