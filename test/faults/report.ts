import type { Result } from './run-scenarios.ts'

const HEADS = [
  'scenario',
  'runs',
  'reached',
  'acknowledged',
  'rows compared',
  'lost',
  'missing',
  'doubled',
  'different',
  'recovery s',
  '',
] as const

/** The closing table, and what failed below it. */
export function reportText(results: readonly Result[]): string {
  const rows = results.map((result) => [
    `${result.scenario} ${result.name}`,
    String(result.runs),
    String(result.reached),
    String(result.acknowledged),
    String(result.rowsCompared),
    String(result.lost),
    String(result.missing),
    String(result.doubled),
    String(result.different),
    result.recoverySecondsMax.toFixed(1),
    result.failures.length === 0 ? 'held' : 'BROKEN',
  ])
  const widths = HEADS.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
  const failures = results.flatMap(({ scenario, failures: list }) =>
    list.map((text) => `${scenario}: ${text}`),
  )
  return `${[line(HEADS), ...rows.map(line), ...failures].join('\n')}\n`
}
