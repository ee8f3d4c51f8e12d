import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../kernel/limits.ts'
import type { Log } from '../../log/log.ts'
import type { QuestdbSql } from '../../sinks/questdb-http.ts'
import { walStates } from '../../sinks/wal-watch.ts'

export interface CatchUp {
  readonly log: Log
  readonly sql: QuestdbSql
  readonly topic: string
  readonly group: string
  readonly prefix: string
  /** Up to where the processors must have committed, a partition each. */
  readonly ends: readonly number[]
  /** How long to wait while nothing moves. */
  readonly patienceMs: number
  readonly stop: AbortSignal
  readonly progress: (done: number, total: number) => void
}

/**
 * Waits until the processors have committed up to `ends`, and the tables show what was written
 * until then. What is waited for is fixed, so that a wait in which something moves comes to an end.
 *
 * @returns Why it is not so, in words; empty where it is.
 */
export async function awaitCaughtUp(options: CatchUp): Promise<readonly string[]> {
  const behind = await awaitCommits(options)
  return behind.length > 0 ? behind : awaitApplied(options)
}

/** Looks until `look` finds nothing left, or what is left has not changed for too long. */
async function whileMoving(
  { patienceMs, stop }: CatchUp,
  look: () => Promise<{ left: number; words: readonly string[] }>,
): Promise<readonly string[]> {
  let least = Infinity
  let movedMs = performance.now()
  for (;;) {
    const { left, words } = await look()
    if (left === 0) return []
    if (left < least) {
      least = left
      movedMs = performance.now()
    }
    if (stop.aborted || performance.now() - movedMs > patienceMs) return words
    await sleep(LIMITS.verifyPollMs, undefined, { signal: stop }).catch(() => undefined)
  }
}

async function awaitCommits(options: CatchUp): Promise<readonly string[]> {
  const { log, topic, group, ends, progress } = options
  const begins = await log.beginOffsets(topic)
  const total = ends.reduce((sum, end, p) => sum + end - (begins[p] ?? 0), 0)
  return whileMoving(options, async () => {
    const committed = await log.committed(group, topic)
    const behind = ends.map((end, p) => {
      const done = Math.max(committed[p]?.offset ?? -1, begins[p] ?? 0)
      return Math.max(0, end - done)
    })
    const left = behind.reduce((sum, count) => sum + count, 0)
    progress(total - left, total)
    const partitions = behind.flatMap((count, p) => (count > 0 ? [p] : []))
    const words = [
      `the processors of group ${group} have ${left.toLocaleString('en')} records of ${topic} ` +
        `still to commit (partitions ${partitions.join(', ')}), and nothing moves: do they run?`,
    ]
    return { left, words }
  })
}

async function awaitApplied(options: CatchUp): Promise<readonly string[]> {
  const { sql, prefix } = options
  const wanted = new Map<string, number>()
  for (const { table, loggedTransaction } of await walStates(sql, prefix)) {
    wanted.set(table, loggedTransaction)
  }
  return whileMoving(options, async () => {
    let left = 0
    const words: string[] = []
    for (const { table, appliedTransaction, suspended, error } of await walStates(sql, prefix)) {
      const behind = Math.max(0, (wanted.get(table) ?? 0) - appliedTransaction)
      if (behind === 0) continue
      left += behind
      const why = suspended ? `is suspended (${error})` : 'does not apply them'
      words.push(`QuestDB has ${behind} transactions of ${table} not yet applied, and ${why}`)
    }
    return { left, words }
  })
}
