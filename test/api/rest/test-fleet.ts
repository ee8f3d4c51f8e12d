import type { FleetView, LatestSample, SeenMeter } from '../../../src/api/fleet-view.ts'
import type { Micros } from '../../../src/kernel/time.ts'

/** A fleet that is as a test says. */
export class TestFleet implements FleetView {
  ready = true
  logMillis = 0
  rate = 0
  private readonly meters = new Map<string, Map<string, SeenMeter>>()

  see(
    meterId: string,
    seen: {
      tenant?: string
      lastAt: Micros
      arrivedMillis?: number
      channels?: Readonly<Record<string, LatestSample>>
    },
  ): void {
    const { tenant = 'demo', lastAt, arrivedMillis, channels = {} } = seen
    const ofTenant = this.meters.get(tenant) ?? new Map<string, SeenMeter>()
    const meter = { lastAt, lastArrivedMillis: arrivedMillis }
    ofTenant.set(meterId, { ...meter, channels: new Map(Object.entries(channels)) })
    this.meters.set(tenant, ofTenant)
  }

  meter(tenant: string, meterId: string): SeenMeter | undefined {
    return this.meters.get(tenant)?.get(meterId)
  }

  meterIds(tenant: string): readonly string[] {
    return [...(this.meters.get(tenant)?.keys() ?? [])].sort()
  }

  readingsPerSecond(tenant: string): number {
    return tenant === 'demo' ? this.rate : 0
  }
}
