import type { ChannelSpec, MeterSpec, Registry } from '../../src/registry/registry.ts'
import type { OracleRules } from '../oracle/oracle.ts'

/** A registry for tests: kinds by the channel's name, everything else the default. */
export function testRegistry(meters: readonly Partial<MeterSpec>[] = []): Registry {
  const base = {
    tenant: 'demo',
    meterId: '',
    zone: 'UTC',
    place: undefined,
    expectedIntervalMicros: undefined,
    disorderMicros: 120_000_000,
    silentAfterIntervals: 3,
  }
  const specs = meters.map((meter): MeterSpec => ({ ...base, ...meter }))
  return {
    meter: (tenant, meterId) => {
      const found = specs.find((spec) => spec.tenant === tenant && spec.meterId === meterId)
      return { ...base, tenant, meterId, ...found, registered: found !== undefined }
    },
    channel: (_tenant, _meterId, channel) => channelSpec(channel),
    meters: () => specs,
  }
}

function channelSpec(channel: string): ChannelSpec {
  const cumulative = channel.includes('register')
  const interval = !cumulative && channel.endsWith('_wh')
  return {
    kind: cumulative ? 'cumulative' : interval ? 'interval' : 'gauge',
    unit: cumulative || interval ? 'Wh' : 'W',
    label: channel.includes('_end_') ? 'end' : 'start',
    lengthMicros: undefined,
    rolloverAt: cumulative ? 1_000_000 : undefined,
    gapMicrosMax: 3_600_000_000,
  }
}

/** The same facts for the oracle. */
export function oracleRules(registry: Registry): OracleRules {
  return {
    horizonMicros: 3_600_000_000,
    silentAfterIntervals: (tenant, meterId) => registry.meter(tenant, meterId).silentAfterIntervals,
    disorderMicros: (tenant, meterId) => registry.meter(tenant, meterId).disorderMicros,
    series: (tenant, meterId, channel) => {
      const spec = registry.channel(tenant, meterId, channel)
      const wattHours = { Wh: 1, kWh: 1_000 }[spec.unit]
      return {
        ...spec,
        wattHours,
        expectedMicros: registry.meter(tenant, meterId).expectedIntervalMicros,
        zone: registry.meter(tenant, meterId).zone,
      }
    },
  }
}
