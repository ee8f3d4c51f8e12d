import { LIMITS } from '../../kernel/limits.ts'
import { QUALITIES, type Quality, type Reading } from '../../schemas/records.ts'
import { type QuestdbSql } from '../../sinks/questdb-http.ts'
import type { FleetView, LatestSample, SeenMeter } from '../fleet-view.ts'

const WINDOW_SECONDS = 60

class Meter implements SeenMeter {
  lastAt = -Infinity
  lastArrivedMillis: number | undefined
  readonly channels = new Map<string, LatestSample>()

  /** The newest by its own time stays; of one time the later in the log. */
  take(channel: string, sample: LatestSample): void {
    if (sample.at > this.lastAt) this.lastAt = sample.at
    const known = this.channels.get(channel)
    if (known === undefined || sample.at >= known.at) this.channels.set(channel, sample)
  }
}

interface Tenant {
  readonly meters: Map<string, Meter>
  sorted: readonly string[] | undefined
  /** Readings by second of append time, in a ring. */
  readonly counts: Float64Array
  readonly countSeconds: Float64Array
}

/** The fleet as QuestDB and the log tell of it. */
export class LiveFleet implements FleetView {
  logMillis = 0
  ready = false
  private readonly tenants = new Map<string, Tenant>()

  meter(tenant: string, meterId: string): SeenMeter | undefined {
    return this.tenants.get(tenant)?.meters.get(meterId)
  }

  meterIds(tenant: string): readonly string[] {
    const known = this.tenants.get(tenant)
    if (known === undefined) return []
    known.sorted ??= [...known.meters.keys()].sort()
    return known.sorted
  }

  readingsPerSecond(tenant: string): number {
    const known = this.tenants.get(tenant)
    if (known === undefined) return 0
    const now = Math.floor(this.logMillis / 1_000)
    let sum = 0
    for (let i = 0; i < WINDOW_SECONDS; i++) {
      // The second that runs is not over.
      const age = now - known.countSeconds[i]!
      if (age >= 1 && age < WINDOW_SECONDS) sum += known.counts[i]!
    }
    return sum / (WINDOW_SECONDS - 1)
  }

  /** Anything that the log took moves its clock. */
  tick(appendMillis: number): void {
    if (appendMillis > this.logMillis) this.logMillis = appendMillis
  }

  reading(reading: Reading, appendMillis: number): void {
    this.tick(appendMillis)
    const known = this.tenantOf(reading.tenant)
    const meter = this.meterOf(known, reading.meterId)
    meter.lastArrivedMillis = Math.max(meter.lastArrivedMillis ?? 0, appendMillis)
    for (const { channel, value, quality } of reading.measurements) {
      const known = Number.isFinite(value) ? value : null
      meter.take(channel, { at: reading.at, value: known, quality })
    }
    const second = Math.floor(appendMillis / 1_000)
    const slot = second % WINDOW_SECONDS
    if (known.countSeconds[slot] !== second) {
      if (second < known.countSeconds[slot]!) return
      known.countSeconds[slot] = second
      known.counts[slot] = 0
    }
    known.counts[slot]! += 1
  }

  /**
   * Takes in the newest row of every series.
   *
   * @throws sinks.unavailable, sinks.badQuery
   */
  async seed(sql: QuestdbSql, readingsTable: string, signal: AbortSignal): Promise<void> {
    const query =
      'select tenant, meter_id, channel, cast(ts as long) at, value, quality from ' +
      `"${readingsTable}" latest on ts partition by tenant, meter_id, channel`
    // It walks the whole table, however long that is.
    const rows = await sql.rows(query, { signal, timeoutMs: LIMITS.questdbExportMsMax })
    for (const [tenant, meterId, channel, at, value, quality] of rows) {
      const meter = this.meterOf(this.tenantOf(String(tenant)), String(meterId))
      meter.take(String(channel), {
        at: Number(at),
        value: typeof value === 'number' ? value : null,
        quality: asQuality(quality),
      })
    }
    this.ready = true
  }

  private tenantOf(tenant: string): Tenant {
    let known = this.tenants.get(tenant)
    if (known === undefined) {
      known = {
        meters: new Map(),
        sorted: undefined,
        counts: new Float64Array(WINDOW_SECONDS),
        countSeconds: new Float64Array(WINDOW_SECONDS),
      }
      this.tenants.set(tenant, known)
    }
    return known
  }

  private meterOf(tenant: Tenant, meterId: string): Meter {
    let meter = tenant.meters.get(meterId)
    if (meter === undefined) {
      meter = new Meter()
      tenant.meters.set(meterId, meter)
      tenant.sorted = undefined
    }
    return meter
  }
}

function asQuality(value: unknown): Quality {
  return QUALITIES.find((one) => one === value) ?? 'SUSPECT'
}
