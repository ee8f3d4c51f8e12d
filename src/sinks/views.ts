import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../kernel/limits.ts'
import { type QuestdbSql, quoted } from './questdb-http.ts'

/**
 * QuestDB's materialized views of hours and days. Each is invalid, and no longer follows its base,
 * from when somebody has renamed, truncated or altered that base until it is made anew in full.
 */

/** Our views, each after the one that it is made of. */
export const VIEWS: readonly string[] = ['windows_1h', 'windows_1d']

/**
 * Makes invalid views anew, each after its base: a base that is made anew invalidates what is made
 * of it. What takes longer than the limit goes on by itself, and the next start sees to the rest.
 *
 * @throws sinks.unavailable (retryable), sinks.badQuery.
 */
export async function mendViews(sql: QuestdbSql, prefix: string): Promise<void> {
  for (const view of VIEWS) {
    const name = `${prefix}${view}`
    if (!(await isInvalid(sql, name))) continue
    await sql.rows(`REFRESH MATERIALIZED VIEW ${quoted(name)} FULL`)
    const deadlineMs = performance.now() + LIMITS.questdbAppliedMsMax
    while (await isInvalid(sql, name)) {
      if (performance.now() > deadlineMs) return
      await sleep(LIMITS.questdbRetryMsMin)
    }
  }
}

async function isInvalid(sql: QuestdbSql, name: string): Promise<boolean> {
  const [state] = await sql.rows(
    `select view_status from materialized_views() where view_name = ${quoted(name)}`,
  )
  return state?.[0] === 'invalid'
}
