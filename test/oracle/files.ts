import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { OracleRecord, OracleRules } from './oracle.ts'

/**
 * Hourly CSV files (`timestamp,value[,temp_c]`, times without a zone taken as UTC) as the oracle's
 * input: what the log should hold after they were replayed, read with nothing of the replay's own
 * code.
 */
export function* fileRecords(
  paths: readonly string[],
  valueChannel: string,
): Generator<OracleRecord> {
  let offset = 0
  for (const path of paths) {
    const raw = readFileSync(path)
    const text = (path.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8')
    const [head, ...lines] = text.trimEnd().split('\n')
    const names = head!.split(',').map((name) => (name === 'value' ? valueChannel : name))
    const meterId = basename(path).replace(/\.csv(\.gz)?$/, '')
    for (const line of lines) {
      const cells = line.split(',')
      const at = Date.parse(`${cells[0]!.replace(' ', 'T')}Z`) * 1_000
      const measurements = names
        .map((channel, i) => ({ channel, text: cells[i] ?? '' }))
        .slice(1)
        .filter((cell) => cell.text !== '')
        .map(({ channel, text: digits }) => ({
          channel,
          value: Number(digits),
          quality: 'MEASURED' as const,
        }))
      if (measurements.length === 0) continue
      const reading = { tenant: 'demo', meterId, at, seq: null, measurements }
      yield { partition: 0, offset: offset++, appendMillis: 0, reading }
    }
  }
}

/**
 * Every channel a gauge without a known unit of energy, a disorder of 2 minutes, a horizon of 1
 * hour.
 */
export const gaugeRules: OracleRules = {
  series: () => ({
    kind: 'gauge',
    wattHours: undefined,
    label: 'start',
    lengthMicros: undefined,
    rolloverAt: undefined,
    gapMicrosMax: 3_600_000_000,
    expectedMicros: undefined,
    zone: 'UTC',
  }),
  disorderMicros: () => 120_000_000,
  horizonMicros: 3_600_000_000,
}
