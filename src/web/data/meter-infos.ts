import { type Signal, signal } from '@preact/signals'
import type { MeterItem } from '../../api/contract/items.ts'
import { type Page, ask } from '../rest/ask.ts'

/** What is known of meters that are named on a page, such as the zone of their site. */

const known = new Map<string, Signal<MeterItem | undefined>>()
const waiting: string[] = []
const AT_ONCE = 4
let running = 0

/** Undefined until it is known; asked for once. */
export function meterInfo(meterId: string): Signal<MeterItem | undefined> {
  let info = known.get(meterId)
  if (info === undefined) {
    info = signal<MeterItem | undefined>(undefined)
    known.set(meterId, info)
    waiting.push(meterId)
    askNext()
  }
  return info
}

/** Takes what another question told of meters. */
export function learnMeters(items: readonly MeterItem[]): void {
  for (const item of items) {
    const info = known.get(item.meterId)
    if (info === undefined) known.set(item.meterId, signal<MeterItem | undefined>(item))
    else info.value = item
  }
}

function askNext(): void {
  // What came since by a list need not be asked for.
  let meterId = waiting.shift()
  while (meterId !== undefined && known.get(meterId)?.peek() !== undefined)
    meterId = waiting.shift()
  if (meterId === undefined || running >= AT_ONCE) {
    if (meterId !== undefined) waiting.unshift(meterId)
    return
  }
  running++
  ask<Page<MeterItem>>('/api/meters', { meterId, limit: 1 })
    .then(({ items }) => learnMeters(items))
    // Times are shown in UTC then, and say so.
    .catch(() => undefined)
    .finally(() => {
      running--
      askNext()
    })
}
