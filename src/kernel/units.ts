/** Units as they are written in channel configuration, and what makes an energy of them. */

/** Watt-hours in one of each energy unit. */
const WATT_HOURS: ReadonlyMap<string, number> = new Map([
  ['Wh', 1],
  ['kWh', 1_000],
  ['MWh', 1_000_000],
])

/** Watt-hours in one `unit`; undefined where the unit is none of energy. */
export function wattHoursIn(unit: string): number | undefined {
  return WATT_HOURS.get(unit)
}
