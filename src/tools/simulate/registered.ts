import type { Fleet } from './fleet.ts'

/**
 * The fleet as METERS_FILE knows meters: zone, interval, and where registers come round. Without it
 * the engine learns the interval, and takes a register that comes round for one that was reset.
 */
export function registeredMeters(fleet: Fleet): object {
  const { intervalSeconds, seed } = fleet.options
  const places = placedMeters(fleet)
  return {
    note: `A simulated fleet of ${fleet.meters.length} meters, seed ${seed}.`,
    meters: fleet.meters.map(({ rolloverAtWh }, i) => ({
      ...places[i],
      expectedIntervalSeconds: intervalSeconds,
      ...(rolloverAtWh !== undefined && {
        channels: [
          {
            channel: 'energy_register_wh',
            kind: 'cumulative',
            unit: 'Wh',
            rolloverAt: rolloverAtWh,
          },
        ],
      }),
    })),
  }
}

/** The fleet's meters with their places and nothing else. */
export function placedMeters({ options: { tenant, zone }, meters }: Fleet): readonly object[] {
  return meters.map(({ meterId, kind }) => ({ tenant, meterId, zone, place: `simulated ${kind}` }))
}
