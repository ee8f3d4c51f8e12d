import type { Micros } from '../kernel/time.ts'
import type { Quality } from '../schemas/records.ts'

/**
 * What an api knows of the fleet at this moment: the newest reading of each series. It is made of
 * QuestDB's rows at the start and follows the log from there on, in every api process alike.
 */
export interface FleetView {
  /** Undefined where no reading of the meter was ever seen. */
  meter(tenant: string, meterId: string): SeenMeter | undefined
  /** The meters of a tenant that were ever seen, by id in the order of their characters. */
  meterIds(tenant: string): readonly string[]
  /**
   * Append time of the newest record of the log, ticks included, milliseconds UTC: the clock that
   * silence is judged by, which stands still where no bridge is alive. 0: nothing was seen yet.
   */
  readonly logMillis: number
  /** Readings of a tenant a second, over the last minute of the log. */
  readingsPerSecond(tenant: string): number
  /** False while the first look at QuestDB is not over. */
  readonly ready: boolean
}

export interface SeenMeter {
  /** Of the newest reading by its own time. */
  readonly lastAt: Micros
  /** When the log took the last one that came; undefined where that was before this view began. */
  readonly lastArrivedMillis: number | undefined
  readonly channels: ReadonlyMap<string, LatestSample>
}

export interface LatestSample {
  readonly at: Micros
  readonly value: number | null
  readonly quality: Quality
}
