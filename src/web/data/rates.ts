import type { Pipeline, PipelineStage } from '../../api/contract/overview.ts'

export type StageName = PipelineStage['stage']

/** What is told is the mean of so many looks: of ten seconds. */
export const SMOOTHED = 5

/**
 * What a stage did a second between two looks at it; null where a look is missing or the count went
 * back, since a process of it was started anew.
 */
export function rateBetween(
  before: Pipeline | undefined,
  after: Pipeline,
  stage: StageName,
): number | null {
  const totalOf = (pipeline: Pipeline | undefined) =>
    pipeline?.stages.find((one) => one.stage === stage)?.total ?? null
  const [from, to] = [totalOf(before), totalOf(after)]
  const seconds = (Date.parse(after.at) - Date.parse(before?.at ?? '')) / 1_000
  if (from === null || to === null || to < from || !(seconds > 0)) return null
  return (to - from) / seconds
}

/** The mean of the last `count` rates that are known: one alone jumps from look to look. */
export function smoothed(rates: readonly (number | null)[], count: number): number | null {
  const known = rates.slice(-count).filter((rate) => rate !== null)
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length
}

/** Each as the mean of those up to it, so that a line over time can be read. */
export function smoothLine(
  rates: readonly (number | null)[],
  count: number,
): readonly (number | null)[] {
  return rates.map((rate, i) => (rate === null ? null : smoothed(rates.slice(0, i + 1), count)))
}
