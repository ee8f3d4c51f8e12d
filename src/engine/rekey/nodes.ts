import type { Micros } from '../../kernel/time.ts'
import type { ChannelKind } from '../../registry/registry.ts'
import type { Contribution } from '../../schemas/records.ts'
import type { TotalWidth } from './members.ts'

/**
 * Results across meters take two stages.
 *
 * - stage one: a task of the readings gives its items to an intermediate topic, under another key,
 *   each with the position that it comes from.
 * - stage two: a task of that topic puts together what many tasks gave.
 * - clock: a record that stage one gives to every partition of the intermediate topic every ten
 *   seconds of append time, so that stage two knows how far each partition of the readings has
 *   come.
 */

/** What stage one knows beside the item itself. */
export interface ItemSource {
  readonly place: string | undefined
  readonly kind: ChannelKind
  /** Append time of the record that is being taken in, running maximum, milliseconds UTC. */
  readonly appendedMillis: number
}

export interface TotalsScope {
  readonly scope: string
  /** Which of the scope's groups a contribution belongs to; undefined: to none. */
  readonly idOf: (contribution: Contribution) => string | undefined
}

export interface TotalsOptions {
  readonly scopes: readonly TotalsScope[]
  readonly widths: readonly TotalWidth[]
  /** How long a window is open, in append time, from the first reading that gave to it. */
  readonly keepMillis: number
  /** A series that gave nothing for so long, in append time, is awaited no longer. */
  readonly silentAfterMillis: number
}

/** A window of a tenant or a place. Numbers that are not known are NaN. */
export interface Total {
  readonly tenant: string
  readonly scope: string
  readonly scopeId: string
  readonly channel: string
  readonly width: string
  readonly start: Micros
  readonly end: Micros
  readonly sum: number
  readonly mean: number
  readonly energyWh: number
  readonly reporting: number
  readonly expected: number
  readonly final: boolean
  readonly revision: number
  /** Whether it takes the place of what was emitted before. */
  readonly restated: boolean
}
