import type { Fleet } from './fleet.ts'

/**
 * The fleet as METERS_FILE knows meters: zone, interval, and where registers come round. Without it
 * the engine learns the interval, and takes a register that comes round for one that was reset.
 */
export function registeredMeters(fleet: Fleet): object {
  const { tenant, zone, intervalSeconds, seed } = fleet.options
  return {
    note: `A simulated fleet of ${fleet.meters.length} meters, seed ${seed}.`,
    meters: fleet.meters.map(({ meterId, kind, rolloverAtWh }) => ({
      tenant,
      meterId,
      zone,
      place: `simulated ${kind}`,
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
