import { type Signal, signal } from '@preact/signals'
import type { LatestValue, MeterItem, ReadingItem } from '../../api/contract/items.ts'
import { byImportance } from '../text/names.ts'

/**
 * A meter as a line of the list. What moves is a signal each, so that a reading draws one cell anew
 * and nothing else.
 */
export interface MeterRow {
  readonly item: MeterItem
  readonly latest: ReadonlyMap<string, Signal<LatestValue>>
  /** Of the newest reading, ms; null: there was none yet. */
  readonly lastMs: Signal<number | null>
  readonly isSilent: Signal<boolean>
}

export function rowOf(item: MeterItem): MeterRow {
  return {
    item,
    latest: new Map(item.latest.map((value) => [value.channel, signal(value)])),
    lastMs: signal(item.lastAt === null ? null : Date.parse(item.lastAt)),
    isSilent: signal(item.silent),
  }
}

/** The row of before where nothing of it has come or gone, with what is new in its signals. */
export function renewedRow(row: MeterRow | undefined, item: MeterItem): MeterRow {
  const hasAll = item.latest.every(({ channel }) => row?.latest.has(channel) === true)
  if (row === undefined || !hasAll || row.item.place !== item.place) return rowOf(item)
  for (const value of item.latest) newer(row.latest.get(value.channel)!, value)
  const lastMs = item.lastAt === null ? null : Date.parse(item.lastAt)
  if (lastMs !== null && lastMs >= (row.lastMs.peek() ?? 0)) {
    row.lastMs.value = lastMs
    row.isSilent.value = item.silent
  }
  return { ...row, item }
}

/** Takes readings of the live feed; those of meters that are not listed are left out. */
export function applyReadings(
  rows: ReadonlyMap<string, MeterRow>,
  items: readonly ReadingItem[],
): void {
  for (const { meterId, channel, at, value, quality } of items) {
    const row = rows.get(meterId)
    if (row === undefined) continue
    const latest = row.latest.get(channel)
    if (latest !== undefined) newer(latest, { ...latest.peek(), at, value, quality })
    const millis = Date.parse(at)
    if (millis > (row.lastMs.peek() ?? -Infinity)) {
      row.lastMs.value = millis
      row.isSilent.value = false
    }
  }
}

function newer(latest: Signal<LatestValue>, value: LatestValue): void {
  // Texts of one form sort as their times do.
  if (value.at >= latest.peek().at) latest.value = value
}

/** The channels that most of the meters have: the columns of the list. */
export function commonChannels(items: readonly MeterItem[], most: number): string[] {
  const counts = new Map<string, number>()
  for (const { latest } of items) {
    for (const { channel } of latest) counts.set(channel, (counts.get(channel) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || byImportance(a, b))
    .slice(0, most)
    .map(([channel]) => channel)
    .sort(byImportance)
}

export type RowOrder = 'meter' | 'place' | 'last' | 'completeness' | `channel:${string}`

/** As the rows are at this moment: a list that is sorted anew by itself cannot be read. */
export function sortedRows(
  rows: readonly MeterRow[],
  order: RowOrder,
  isDescending: boolean,
): MeterRow[] {
  const keyOf = (row: MeterRow): string | number | null => {
    if (order === 'meter') return row.item.meterId
    if (order === 'place') return row.item.place
    if (order === 'last') return row.lastMs.peek()
    if (order === 'completeness') return row.item.completeness24h
    return row.latest.get(order.slice('channel:'.length))?.peek().value ?? null
  }
  const sign = isDescending ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)]
    // What is not known comes last, whichever way the rest is sorted.
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    return x === y ? 0 : (x < y ? -1 : 1) * sign
  })
}
