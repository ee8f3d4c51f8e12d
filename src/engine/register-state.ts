import type { RegisterRules, Settled } from './register.ts'
import type { SeriesTable } from './series.ts'

/** What the columns of a series say of its register, as the course wants it; and back. */

export function rulesOf(table: SeriesTable, slot: number): RegisterRules {
  const c = table.series.columns
  const rolloverAt = c.rolloverAt.get(slot)
  return {
    wattHours: c.wattHours.get(slot),
    rolloverAt: isNaN(rolloverAt) ? undefined : rolloverAt,
    gapMicrosMax: c.gapMax.get(slot),
  }
}

export function settledOf(table: SeriesTable, slot: number, into: Settled): Settled {
  const c = table.series.columns
  into.at = c.settledAt.get(slot)
  into.valueWh = c.settledWh.get(slot)
  into.givenWh = c.givenWh.get(slot)
  into.boundary = c.boundary.get(slot)
  return into
}

export function saveSettled(table: SeriesTable, slot: number, settled: Settled): void {
  const c = table.series.columns
  c.settledAt.set(slot, settled.at)
  c.settledWh.set(slot, settled.valueWh)
  c.givenWh.set(slot, settled.givenWh)
}
