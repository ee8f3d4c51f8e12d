import type { RowBatch } from '../engine/sink.ts'
import { formatMicros } from '../kernel/time.ts'

/**
 * A row for a message: `ts=2026-11-20T00:00:00.000000Z tenant=demo value=1.5`; nulls are left out.
 */
export function rowWords(batch: RowBatch, row: number): string {
  const words: string[] = []
  for (const [i, { name, type }] of batch.spec.columns.entries()) {
    const value = batch.columns[i]?.[row]
    if (value === undefined || Number.isNaN(value)) continue
    words.push(`${name}=${type === 'timestamp' ? timeWords(value) : String(value)}`)
  }
  return words.join(' ')
}

function timeWords(value: number | string): string {
  const micros = Number(value)
  // A time that no calendar holds is what the row may be refused for.
  return Math.abs(micros) <= 8.64e18 / 1000 ? formatMicros(micros) : String(value)
}
