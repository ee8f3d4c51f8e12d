import { LIMITS } from '../../kernel/limits.ts'
import { days, type Micros, MICROS_PER_MILLI, MICROS_PER_SECOND } from '../../kernel/time.ts'
import type { Registry } from '../../registry/registry.ts'
import { quoted } from '../../sinks/questdb-http.ts'
import { apiErrors } from '../errors.ts'
import type { FleetView, SeenMeter } from '../fleet-view.ts'
import type { Store } from './rows.ts'
import { conditions, named } from './select.ts'
import { Shared } from './shared.ts'
import { closedUntil } from './times.ts'

const QUARTER_SECONDS = 900
const DAY_MILLIS = 86_400_000
const QUARTERS_OF_DAY = 96

/** Seconds between readings, by meter: what is declared comes before what was learned. */
export type Intervals = ReadonlyMap<string, number>

/** What is known of meters from the registry, the fleet's view and QuestDB together. */
export class FleetFacts {
  readonly fleet: FleetView
  readonly registry: Registry
  private readonly store: Store
  private readonly learned: Shared<Intervals>
  private merged: { seen: unknown; registered: unknown; tenant: string; ids: readonly string[] } = {
    ...{ seen: undefined, registered: undefined, tenant: '', ids: [] },
  }

  constructor(store: Store, registry: Registry, fleet: FleetView) {
    this.store = store
    this.registry = registry
    this.fleet = fleet
    this.learned = new Shared(store.clock, LIMITS.apiIntervalsMs, (tenant) => {
      return this.askIntervals(tenant)
    })
  }

  /** @throws api.starting while the fleet's last readings are not known. */
  checkReady(): void {
    if (!this.fleet.ready) throw apiErrors.starting({ what: 'what the fleet said last' })
  }

  /** The meters that are registered or were ever seen, in the order of their ids. */
  ids(tenant: string): readonly string[] {
    const seen = this.fleet.meterIds(tenant)
    const registered = this.registry.meters()
    const { merged } = this
    if (merged.seen !== seen || merged.registered !== registered || merged.tenant !== tenant) {
      const ids = new Set(seen)
      for (const meter of registered) if (meter.tenant === tenant) ids.add(meter.meterId)
      this.merged = { seen, registered, tenant, ids: [...ids].sort() }
    }
    return this.merged.ids
  }

  /** As the windows of the last day tell; a meter without such a window has none. */
  learnedIntervals(tenant: string): Promise<Intervals> {
    return this.learned.of(tenant)
  }

  /** Seconds between readings of a meter, declared or learned; undefined where neither. */
  intervalOf(tenant: string, meterId: string, learned: Intervals): number | undefined {
    const { expectedIntervalMicros: declared } = this.registry.meter(tenant, meterId)
    return declared === undefined ? learned.get(meterId) : declared / MICROS_PER_SECOND
  }

  /**
   * Whether a meter that spoke once has said nothing for too long, by the clock of the log: where
   * no bridge is alive nobody is silent.
   */
  isSilent(tenant: string, meterId: string, learned: Intervals): boolean {
    const seen = this.fleet.meter(tenant, meterId)
    if (seen === undefined) return false
    const { silentAfterIntervals } = this.registry.meter(tenant, meterId)
    const interval = this.intervalOf(tenant, meterId, learned)
    const patienceMillis =
      interval === undefined ? DAY_MILLIS : silentAfterIntervals * interval * 1_000
    return this.fleet.logMillis - arrivedMillis(seen) > patienceMillis
  }

  private async askIntervals(tenant: string): Promise<Intervals> {
    const now = this.store.clock.nowMicros()
    const rows = await this.store.gate.rows(
      'SELECT meter_id, max(e) FROM (SELECT meter_id, channel, last_not_null(expected) e ' +
        `FROM ${this.quarters(tenant, closedUntil(now) - days(1), now)})`,
      // It is for all who wait: nobody's going ends it.
      new AbortController().signal,
    )
    return new Map(
      rows.flatMap(([meterId, expected]) =>
        typeof expected === 'number' && expected > 0
          ? [[String(meterId), QUARTER_SECONDS / expected] as const]
          : [],
      ),
    )
  }

  /**
   * Readings of the last 24 h of closed windows against those expected, of the channel that has the
   * least: 0 to 1, by meter. A meter that nothing was expected of is not among them.
   */
  async completeness(
    tenant: string,
    meterIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    if (meterIds.length === 0) return found
    const end = closedUntil(this.store.clock.nowMicros())
    const rows = await this.store.gate.rows(
      'SELECT meter_id, sum("count"), last_not_null(expected) ' +
        `FROM ${this.quarters(tenant, end - days(1), end)} AND ${among(meterIds)} ` +
        'GROUP BY meter_id, channel',
      signal,
    )
    for (const [id, count, expected] of rows) {
      if (typeof expected !== 'number' || expected <= 0) continue
      const meterId = String(id)
      const share = Math.min(1, Number(count) / (QUARTERS_OF_DAY * expected))
      found.set(meterId, Math.min(share, found.get(meterId) ?? 1))
    }
    return found
  }

  private quarters(tenant: string, from: Micros, to: Micros): string {
    const filters = [['width', '15m'] as const]
    return (
      `${named(`${this.store.tablePrefix}windows`)} WHERE ` +
      conditions({ tenant, range: { from, to }, filters })
    )
  }
}

export function arrivedMillis({ lastArrivedMillis, lastAt }: SeenMeter): number {
  return lastArrivedMillis ?? lastAt / MICROS_PER_MILLI
}

/** By name where the names are few, else from the first to the last and whoever lies between. */
function among(meterIds: readonly string[]): string {
  const list = meterIds.map(quoted).join(', ')
  if (list.length <= LIMITS.apiListedCharactersMax) return `meter_id IN (${list})`
  // QuestDB compares texts by their UTF-8, which is the order of their code points.
  const sorted = meterIds.map((id) => Buffer.from(id)).sort((a, b) => Buffer.compare(a, b))
  const [first, last] = [sorted[0]!, sorted.at(-1)!].map((id) => quoted(id.toString()))
  return `meter_id::varchar >= ${first!} AND meter_id::varchar <= ${last!}`
}
