import type { Micros } from '../kernel/time.ts'

/**
 * The registry's port: what is known of meters and channels before any reading comes. Its first
 * adapter is files (`config/meters.json`, `config/channels.json`); the registry module replaces it.
 *
 * - gauge: a value of the moment (W, V, C).
 * - interval: an amount of an interval (Wh); its time is the interval's start or end, as `label`
 *   says.
 * - cumulative: a register that only grows, but for rollovers and resets; energy is its difference.
 */
export type ChannelKind = 'gauge' | 'interval' | 'cumulative'

export interface ChannelSpec {
  readonly kind: ChannelKind
  /**
   * W, Wh, kWh, V, C, ...; '' where nobody said. Energy is made of the units in `kernel/units.ts`.
   */
  readonly unit: string
  /** Of an interval channel: whether `at` is the interval's start or its end. */
  readonly label: 'start' | 'end'
  /**
   * Of an interval channel: the interval's length; undefined: the expected interval, learned or
   * given.
   */
  readonly lengthMicros: Micros | undefined
  /**
   * Of a cumulative channel: the register's value that it never shows, such as 1e6 for six digits.
   */
  readonly rolloverAt: number | undefined
  /**
   * Of a cumulative channel: energy across a longer gap between good samples is flagged estimated.
   */
  readonly gapMicrosMax: Micros
}

export interface MeterSpec {
  readonly tenant: string
  readonly meterId: string
  /** IANA name; decides local days and months. */
  readonly zone: string
  readonly place: string | undefined
  /** undefined: learned, each series the median of its first 12 gaps in whole seconds. */
  readonly expectedIntervalMicros: Micros | undefined
  /** The meter's watermark is its newest `at` less this. */
  readonly disorderMicros: Micros
  readonly silentAfterIntervals: number
}

export interface Registry {
  /** Of a meter that is not registered: the defaults, with `registered` false. */
  meter(tenant: string, meterId: string): MeterSpec & { readonly registered: boolean }
  channel(tenant: string, meterId: string, channel: string): ChannelSpec
  /** The registered meters, in the order of the file. */
  meters(): readonly MeterSpec[]
}
