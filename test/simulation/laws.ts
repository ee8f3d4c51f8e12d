import type { Row } from '../../src/engine/memory-tables.ts'
import type { Log } from '../../src/log/log.ts'
import type { Topics } from '../../src/log/topics.ts'
import type { Codecs } from '../../src/schemas/codecs.ts'
import { storedTotals, totalsDifferences } from '../oracle/stored-totals.ts'
import { oracleTotals } from '../oracle/totals.ts'
import { LIMITS } from './limits.ts'

// What rows must say by computations that share no code with the engine, beside those of
// `test/oracle` for a meter's own rows.

const TOTALS = 'ts tenant scope scope_id channel width sum mean energy_wh reporting expected final'
const known = (value: Row[string]) => (Number.isNaN(value) ? null : value)

/** What is wrong with totals, in words: nothing where nothing is. */
export async function wrongTotals(
  log: Log,
  { contributions }: Topics,
  rows: readonly Row[],
): Promise<readonly string[]> {
  const cells = rows.map((row) => TOTALS.split(' ').map((name) => known(row[name])))
  return totalsDifferences(await oracleTotals(log, contributions), storedTotals(cells))
}

interface Entry {
  readonly offset: number
  readonly key: string
  readonly from: number
  /** NaN where the row is gone. */
  readonly highW: number
}

/**
 * What is wrong with limits, in words. A row's revision says which record of its partition was the
 * last that contributed; of each table it knows what the advances up to there have told.
 */
export async function wrongLimits(
  log: Log,
  { readings }: Topics,
  codecs: Codecs,
  rowsOf: (table: string) => readonly Row[],
  partitionOf: (row: Row) => number,
): Promise<readonly string[]> {
  const advances = await advancesOf(log, readings, codecs)
  const wrong: string[] = []
  for (const { topic, spec } of LIMITS) {
    const entries = await entriesOf(log, topic)
    for (const row of rowsOf(spec.table)) {
      const told = advances
        .filter((one) => one.table === topic && one.partition === partitionOf(row))
        .filter(({ at }) => at <= (row['revision'] as number))
      const view = Math.max(0, ...told.map(({ offset }) => offset))
      const mine = entries
        .filter(({ offset, key }) => offset < view && key === `demo/${String(row['meter_id'])}`)
        .filter(({ from }) => from <= (row['ts'] as number))
      const highW = holding(mine)
      if (Object.is(highW, row['upper'])) continue
      const where = `${topic} ${String(row['meter_id'])} ${String(row['ts'])}`
      wrong.push(`${where}: expected ${highW}, found ${String(row['upper'])}`)
    }
  }
  return wrong
}

/** The newest date's last row that is not gone. */
function holding(entries: readonly Entry[]): number {
  const byDate = new Map<number, number>()
  for (const { from, highW } of entries) byDate.set(from, highW)
  const dates = [...byDate].filter(([, highW]) => !Number.isNaN(highW))
  return dates.sort(([a], [b]) => a - b).at(-1)?.[1] ?? NaN
}

async function entriesOf(log: Log, topic: string): Promise<readonly Entry[]> {
  const found: Entry[] = []
  for await (const batch of log.read({ topic, partition: 0, from: 0 })) {
    for (let i = 0; i < batch.count; i++) {
      const text = batch.bytes.toString('utf8', batch.keyStart[i], batch.keyEnd[i])
      const [key, from = '-Infinity'] = text.split('@')
      const isGone = batch.valueStart[i]! < 0
      const value = isGone
        ? '{}'
        : batch.bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i])
      // What is no row was never there.
      if (!value.endsWith('}')) continue
      const { highW = NaN } = JSON.parse(value) as { highW?: number }
      found.push({ offset: batch.offsets[i]!, key: key!, from: Number(from), highW })
    }
  }
  return found
}

async function advancesOf(log: Log, topic: string, { control }: Codecs) {
  const found: { partition: number; at: number; table: string; offset: number }[] = []
  for (const [partition, to] of (await log.endOffsets(topic)).entries()) {
    for await (const batch of log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i++) {
        if (batch.header(i, 'ml-control')?.toString() !== 'advance') continue
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        const { table, offset } = control.decode(value)
        found.push({ partition, at: batch.offsets[i]!, table: table!, offset: offset! })
      }
    }
  }
  return found
}
