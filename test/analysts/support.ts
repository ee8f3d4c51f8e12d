import { setTimeout as sleep } from 'node:timers/promises'
import { type QuestdbSql, quoted } from '../../src/sinks/questdb-http.ts'
import { VIEWS } from '../../src/sinks/views.ts'

/** Has the views take in what came, without waiting for their timer. */
export async function refreshViews(sql: QuestdbSql, prefix: string): Promise<void> {
  await sql.rows(`REFRESH MATERIALIZED VIEW ${quoted(`${prefix}${VIEWS[0]!}`)} INCREMENTAL`)
  for (const view of VIEWS) await refreshed(sql, `${prefix}${view}`)
}

/** Resolves when a view holds all of its base, for every reader. */
async function refreshed(sql: QuestdbSql, view: string): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  for (;;) {
    const [state] = await sql.rows(
      'select v.view_status, v.refresh_base_table_txn, v.base_table_txn, ' +
        'w.writerTxn, w.sequencerTxn from materialized_views() v ' +
        `join wal_tables() w on v.view_name = w.name where v.view_name = ${quoted(view)}`,
    )
    const [status, refreshed, base, applied, logged] = state ?? []
    if (status === 'valid' && refreshed === base && applied === logged) return
    if (performance.now() > deadlineMs) throw new Error(`${view} stays behind: ${String(state)}`)
    await sleep(20)
  }
}
