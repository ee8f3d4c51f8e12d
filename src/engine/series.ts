import { wattHoursIn } from '../kernel/units.ts'
import { LIMITS } from '../kernel/limits.ts'
import { MICROS_PER_SECOND } from '../kernel/time.ts'
import type { Micros } from '../kernel/time.ts'
import type { ChannelSpec, Registry } from '../registry/registry.ts'
import { ColumnSet } from './columns.ts'
import { KeyTable } from './keys.ts'
import type { Lateness, SeriesNode } from './nodes.ts'
import { SampleStore } from './samples.ts'
import { GAPS, METER_COLUMNS, NO_SERIES, SERIES_COLUMNS } from './series-columns.ts'
import type { Plain, StatePart } from './state/part.ts'
import type { TaskState } from './state/task-state.ts'

const KINDS = { gauge: 0, interval: 1, cumulative: 2 } as const
/** The kinds by their numbers. */
export const CHANNEL_KINDS = Object.keys(KINDS) as readonly (keyof typeof KINDS)[]
/** A name and its two places among the names, roughly. */
const NAME_BYTES = 64

/**
 * The meters and series of one task, in slots. Names and registry facts are looked up once, when a
 * meter or a series is first seen. A series that has been silent for the retention time is
 * forgotten: its slot serves another one. Meters are remembered, for their newest time.
 */
export class SeriesTable implements StatePart {
  readonly samples = new SampleStore()
  readonly meters = new ColumnSet(METER_COLUMNS)
  readonly series = new ColumnSet(SERIES_COLUMNS)
  readonly tenants: string[] = []
  readonly meterIds: string[] = []
  readonly channels: string[] = []
  readonly arrays = {}
  /** Slots below this were given to a series at some time. */
  slotCount = 0

  /** The record keys of the meters. */
  readonly meterKeys = new KeyTable()
  private readonly channelKeys = new KeyTable(64)
  private readonly registry: Registry
  private readonly disorder: Lateness['disorder']
  private readonly state: TaskState
  private readonly tenantNames = new Map<string, string>()
  private freeSlot = NO_SERIES
  private freeSlots = 0

  /** The state of `node` becomes part of `state`. */
  constructor(registry: Registry, node: SeriesNode, state: TaskState) {
    this.registry = registry
    this.disorder = node.lateness.disorder
    this.state = state
    state.add(node.id, 'meter-keys', this.meterKeys)
    state.add(node.id, 'channel-keys', this.channelKeys)
    state.add(node.id, 'meters', this.meters)
    state.add(node.id, 'names', this)
    state.addKeyed(node.id, 'series', this.series)
    state.addKeyed(node.id, 'samples', this.samples)
  }

  get meterCount(): number {
    return this.meterKeys.size
  }

  /** Series that are remembered. */
  get seriesCount(): number {
    return this.slotCount - this.freeSlots
  }

  /** About what the names take: two strings and their places. */
  get bytes(): number {
    return this.meterIds.length * NAME_BYTES
  }

  save(): Plain {
    const { slotCount, freeSlot, freeSlots } = this
    return { slotCount, freeSlot, freeSlots }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
    for (let meter = 0; meter < this.meterKeys.size; meter++) this.nameMeter(meter)
    for (let channel = 0; channel < this.channelKeys.size; channel++) {
      this.channels.push(this.channelKeys.keyOf(channel))
    }
    this.meters.grow(this.meterKeys.size)
    this.state.grow(this.slotCount)
  }

  /** The slot of the meter whose record key is in [start, end) of `bytes`; made where it is new. */
  meterSlot(bytes: Buffer, start: number, end: number): number {
    const before = this.meterKeys.size
    const slot = this.meterKeys.findOrAdd(bytes, start, end)
    if (slot === before) this.addMeter(slot)
    return slot
  }

  private addMeter(slot: number): void {
    this.nameMeter(slot)
    const spec = this.registry.meter(this.tenants[slot]!, this.meterIds[slot]!)
    const c = this.meters.columns
    this.meters.grow(slot + 1)
    c.disorder.set(slot, this.disorder === 'registered' ? spec.disorderMicros : this.disorder)
    c.expected.set(slot, spec.expectedIntervalMicros ?? NaN)
    this.setInterval(slot, c.expected.get(slot))
  }

  private nameMeter(slot: number): void {
    const key = this.meterKeys.keyOf(slot)
    const slash = key.indexOf('/')
    const tenant = this.tenantNames.get(key.slice(0, slash)) ?? key.slice(0, slash)
    this.tenantNames.set(tenant, tenant)
    this.tenants.push(tenant)
    this.meterIds.push(key.slice(slash + 1))
  }

  /**
   * The slot of a meter's series; made where it is new. `previous` is that of the measurement
   * before it in its reading, or -1: a device names its channels in one order, so what followed
   * last is tried first.
   */
  seriesSlot(meter: number, previous: number, bytes: Buffer, start: number, end: number): number {
    const { channel, follow } = this.series.columns
    const { lead } = this.meters.columns
    const likely = previous < 0 ? lead.get(meter) : follow.get(previous)
    if (likely >= 0 && this.channelKeys.is(channel.get(likely), bytes, start, end)) return likely
    const slot = this.findOrAdd(meter, bytes, start, end)
    if (previous < 0) lead.set(meter, slot)
    else follow.set(previous, slot)
    return slot
  }

  private findOrAdd(meter: number, bytes: Buffer, start: number, end: number): number {
    const before = this.channelKeys.size
    const channel = this.channelKeys.findOrAdd(bytes, start, end)
    if (channel === before) this.channels.push(this.channelKeys.keyOf(channel))
    const { series } = this
    let slot = this.meters.columns.first.get(meter)
    while (slot !== NO_SERIES) {
      if (series.columns.channel.get(slot) === channel) return slot
      slot = series.columns.next.get(slot)
    }
    return this.addSeries(meter, channel)
  }

  private addSeries(meter: number, channel: number): number {
    const slot = this.takeSlot()
    const c = this.series.columns
    c.meter.set(slot, meter)
    c.channel.set(slot, channel)
    this.describe(slot)
    this.link(meter, slot, this.channels[channel]!)
    return slot
  }

  private takeSlot(): number {
    const { next } = this.series.columns
    const free = this.freeSlot
    if (free === NO_SERIES) {
      const slot = this.slotCount++
      this.state.grow(slot + 1)
      return slot
    }
    this.freeSlot = next.get(free)
    this.freeSlots--
    return free
  }

  /** Forgets a series, and keeps its slot for another one. */
  release(slot: number): void {
    const { meter, next, follow } = this.series.columns
    const { first, lead } = this.meters.columns
    const owner = meter.get(slot)
    let before = NO_SERIES
    for (let one = first.get(owner); one !== NO_SERIES; one = next.get(one)) {
      if (next.get(one) === slot) before = one
      if (follow.get(one) === slot) follow.set(one, NO_SERIES)
    }
    if (before === NO_SERIES) first.set(owner, next.get(slot))
    else next.set(before, next.get(slot))
    if (lead.get(owner) === slot) lead.set(owner, NO_SERIES)
    this.state.forget(slot)
    next.set(slot, this.freeSlot)
    this.freeSlot = slot
    this.freeSlots++
  }

  /** Forgets what a series was, and begins it anew in its place. */
  renew(slot: number): void {
    const { meter, channel, next, follow } = this.series.columns
    const kept = [meter, channel, next, follow].map((column) => [column, column.get(slot)] as const)
    this.state.forget(slot)
    for (const [column, value] of kept) column.set(slot, value)
    this.describe(slot)
  }

  /** What the registry says of a new series. */
  private describe(slot: number): void {
    const c = this.series.columns
    const meter = c.meter.get(slot)
    const name = this.channelOf(slot)
    this.setSpec(slot, this.registry.channel(this.tenants[meter]!, this.meterIds[meter]!, name))
    c.expected.set(slot, this.meters.columns.expected.get(meter))
  }

  private setSpec(slot: number, spec: ChannelSpec): void {
    const c = this.series.columns
    c.kind.set(slot, KINDS[spec.kind])
    c.labelEnd.set(slot, spec.label === 'end' ? 1 : 0)
    c.wattHours.set(slot, spec.kind === 'gauge' ? NaN : (wattHoursIn(spec.unit) ?? NaN))
    c.rolloverAt.set(slot, spec.rolloverAt ?? NaN)
    c.gapMax.set(slot, spec.gapMicrosMax)
    c.length.set(slot, spec.lengthMicros ?? NaN)
  }

  /**
   * A meter's series hang together in the order of their channels' names: an order that no timing
   * changes.
   */
  private link(meter: number, slot: number, name: string): void {
    const { next, channel } = this.series.columns
    const { first } = this.meters.columns
    let before = NO_SERIES
    let after = first.get(meter)
    while (after !== NO_SERIES && this.channels[channel.get(after)]! < name) {
      before = after
      after = next.get(after)
    }
    next.set(slot, after)
    if (before === NO_SERIES) first.set(meter, slot)
    else next.set(before, slot)
  }

  watermarkOf(meter: number): Micros {
    const { newestAt, disorder } = this.meters.columns
    return newestAt.get(meter) - disorder.get(meter)
  }

  channelOf(slot: number): string {
    return this.channels[this.series.columns.channel.get(slot)]!
  }

  /** Learns the interval from a series' first gaps. Answers whether the sample is its newest. */
  learn(slot: number, at: Micros): boolean {
    const c = this.series.columns
    const newest = c.newestAt.get(slot)
    if (at <= newest) return false
    c.newestAt.set(slot, at)
    if (newest !== -Infinity && isNaN(c.expected.get(slot))) this.learnGap(slot, at, newest)
    return true
  }

  private learnGap(slot: number, at: Micros, newest: Micros): void {
    const c = this.series.columns
    const gap = Math.round((at - newest) / MICROS_PER_SECOND)
    if (gap === 0) return
    const count = c.gapCount.get(slot)
    c.gaps.set(slot, gap, count)
    c.gapCount.set(slot, count + 1)
    if (count + 1 < GAPS) return
    const sorted = c.gaps.copy(slot, GAPS, new Float64Array(GAPS)).sort()
    c.expected.set(slot, Math.round((sorted[5]! + sorted[6]!) / 2) * MICROS_PER_SECOND)
    this.setInterval(c.meter.get(slot), c.expected.get(slot))
  }

  /** A meter speaks as often as the series of its that speaks most often. */
  private setInterval(meter: number, micros: Micros): void {
    const { interval, silentAfter } = this.meters.columns
    if (isNaN(micros) || interval.get(meter) <= micros) return
    interval.set(meter, micros)
    const spec = this.registry.meter(this.tenants[meter]!, this.meterIds[meter]!)
    const after = Math.round(spec.silentAfterIntervals * micros)
    silentAfter.set(meter, Math.max(after, LIMITS.silentAfterMicrosMin))
  }

  /**
   * How far before its own time a sample's window is looked for: the length of an interval labelled
   * by its end.
   */
  shiftOf(slot: number): Micros {
    const c = this.series.columns
    if (c.labelEnd.get(slot) === 0 || c.kind.get(slot) !== KINDS.interval) return 0
    const length = c.length.get(slot)
    if (!isNaN(length)) return length
    const expected = c.expected.get(slot)
    return isNaN(expected) ? 0 : expected
  }

  isInterval(slot: number): boolean {
    return this.series.columns.kind.get(slot) === KINDS.interval
  }

  isCumulative(slot: number): boolean {
    return this.series.columns.kind.get(slot) === KINDS.cumulative
  }

  /** Whether the series is a register whose energy is known in Wh. */
  isRegister(slot: number): boolean {
    return this.isCumulative(slot) && !isNaN(this.series.columns.wattHours.get(slot))
  }
}
