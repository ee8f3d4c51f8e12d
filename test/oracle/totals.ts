import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import type { Log } from '../../src/log/log.ts'

/**
 * The independent computation of totals across meters: naive, from docs/design.md section 2 and the
 * records between the stages alone.
 */
export interface OracleTotal {
  readonly sum: number | null
  readonly mean: number | null
  readonly energyWh: number | null
  readonly reporting: number
}

interface Given {
  readonly kind: string
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
  readonly place: string | null
  readonly width: string
  readonly start: number
  readonly value: number | null
  readonly energyWh: number | null
  readonly appended: number
}

const HOUR_MILLIS = 3_600_000
const WIDTHS: Readonly<Record<string, { micros: number; remembered: number }>> = {
  '15m': { micros: 900_000_000, remembered: 8 },
  '1h': { micros: 3_600_000_000, remembered: 4 },
}

interface Open {
  since: number
  readonly byMeter: Map<string, Given>
}

/** Keys: `start|tenant|scope|scopeId|channel|width`. */
export async function oracleTotals(log: Log, topic: string): Promise<Map<string, OracleTotal>> {
  const windows = new Map<string, Map<number, Open>>()
  const newest = new Map<string, number>()
  for (const given of await recordsOf(log, topic)) {
    if (given.kind !== 'pane') continue
    take(given, 'tenant', given.tenant, windows, newest)
    if (given.place !== null) take(given, 'place', given.place, windows, newest)
  }
  const totals = new Map<string, OracleTotal>()
  for (const [group, byStart] of windows) {
    for (const [start, { byMeter }] of byStart) totals.set(`${start}|${group}`, totalOf(byMeter))
  }
  return totals
}

function take(
  given: Given,
  scope: string,
  id: string,
  windows: Map<string, Map<number, Open>>,
  newest: Map<string, number>,
): void {
  const { tenant, channel, width, start, appended, meterId } = given
  const { micros, remembered } = WIDTHS[width]!
  if (start + micros > appended * 1_000 + 300_000_000) return
  const group = [tenant, scope, id, channel, width].join('|')
  const open = windows.get(group) ?? new Map<number, Open>()
  windows.set(group, open)
  const member = `${group}|${meterId}`
  const known = Math.max(newest.get(member) ?? -Infinity, start)
  newest.set(member, known)
  const isLate = ({ since }: Open) => appended >= since + 3 * HOUR_MILLIS
  const own = open.get(start)
  if (own === undefined) {
    const later = [...open].filter(([other]) => other > start)
    if (later.some(([, one]) => isLate(one))) return
    open.set(start, { since: appended, byMeter: new Map() })
  }
  const window = open.get(start)!
  if (known - start >= remembered * micros || isLate(window)) return
  window.since = Math.min(window.since, appended)
  window.byMeter.set(meterId, given)
}

function totalOf(byMeter: ReadonlyMap<string, Given>): OracleTotal {
  const all = [...byMeter].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, given]) => given)
  const add = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((a, b) => a + b)
  }
  const values = all.map(({ value }) => value)
  const sum = add(values)
  return {
    sum,
    mean: sum === null ? null : sum / values.filter((value) => value !== null).length,
    energyWh: add(all.map(({ energyWh }) => energyWh)),
    reporting: all.filter(({ value, energyWh }) => value !== null || energyWh !== null).length,
  }
}

/** In the order of the topic, what was appended twice only once. */
async function recordsOf(log: Log, topic: string): Promise<readonly Given[]> {
  const file = new URL('../../schemas/contribution.avsc', import.meta.url)
  const type = avsc.Type.forSchema(JSON.parse(readFileSync(file, 'utf8')) as avsc.Schema)
  const found: Given[] = []
  const seen = new Set<string>()
  for (const [partition, to] of (await log.endOffsets(topic)).entries()) {
    for await (const batch of log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i++) {
        const position = batch.header(i, 'ml-src')?.toString('hex')
        if (position === undefined || seen.has(position)) continue
        seen.add(position)
        const body = batch.bytes.subarray(batch.valueStart[i]! + 5, batch.valueEnd[i])
        found.push(type.fromBuffer(Buffer.from(body)) as Given)
      }
    }
  }
  return found
}
